using System;
using System.Collections.Generic;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>A [CallsheetAction] method: its parameters, and how it is called. Generated code makes them; a game has no need to.</summary>
    public sealed class ActionMethod
    {
        private readonly Func<MonoBehaviour, object[], object> _call;
        private readonly ActionParameter[] _parameters;

        /// <summary>Makes one.</summary>
        /// <param name="returnsNothing">True if the method is void.</param>
        /// <param name="call">Calls the method of a component with values in the order of the parameters.</param>
        public ActionMethod(
            string name, string description, bool returnsNothing, Func<MonoBehaviour, object[], object> call, params ActionParameter[] parameters)
        {
            Name = name;
            Description = description;
            ReturnsNothing = returnsNothing;
            _call = call;
            _parameters = parameters;
        }

        /// <summary>The name of the action.</summary>
        public string Name { get; }

        /// <summary>For the model: what it does, and when to do it.</summary>
        public string Description { get; }

        internal bool ReturnsNothing { get; }

        internal IReadOnlyList<ActionParameter> Parameters => _parameters;

        /// <summary>The method tells by itself what became of the action.</summary>
        internal bool CompletesItself => ReturnsNothing && Array.Exists(_parameters, p => !p.IsArgument);

        /// <summary>What the server is told of it; null if there is nothing now that an argument could name.</summary>
        internal ActionSpec Spec(MonoBehaviour component)
        {
            var properties = new List<KeyValuePair<string, JsonValue>>();
            var required = new List<JsonValue>();
            foreach (ActionParameter parameter in _parameters)
            {
                string[] allowed = parameter.AllowedNames(component);
                bool isNameless = allowed != null && allowed.Length == 0;
                if (isNameless && !parameter.IsOptional)
                {
                    return null;
                }
                if (isNameless || !parameter.IsArgument)
                {
                    continue;
                }
                properties.Add(new KeyValuePair<string, JsonValue>(parameter.Name, parameter.Schema(allowed)));
                if (!parameter.IsOptional)
                {
                    required.Add(JsonValue.Of(parameter.Name));
                }
            }
            return new ActionSpec
            {
                Name = Name,
                Description = Description,
                Parameters = JsonValue.Of(new[]
                {
                    new KeyValuePair<string, JsonValue>("type", JsonValue.Of("object")),
                    new KeyValuePair<string, JsonValue>("properties", JsonValue.Of(properties)),
                    new KeyValuePair<string, JsonValue>("required", JsonValue.Of(required)),
                    new KeyValuePair<string, JsonValue>("additionalProperties", JsonValue.Of(false)),
                }),
            };
        }

        /// <summary>Calls the method; the server is told what becomes of the action, also of arguments that do not fit.</summary>
        internal void Run(MonoBehaviour component, NpcAction action)
        {
            object returned;
            try
            {
                object[] values = Values(component, action, out string broken);
                if (values == null)
                {
                    ActionRun.Fail(action, broken);
                    return;
                }
                returned = _call(component, values);
            }
            catch (Exception thrown)
            {
                ActionRun.Fail(component, action, thrown);
                return;
            }
            if (!CompletesItself)
            {
                ActionRun.Follow(component, action, returned);
            }
        }

        /// <summary>The action as the inspector shows it: its name and what it takes.</summary>
        public override string ToString()
        {
            ActionParameter[] shown = Array.FindAll(_parameters, p => p.IsArgument);
            return Name + "(" + string.Join(", ", Array.ConvertAll(shown, p => p.Name + ": " + (p.Names != null ? "a name" : p.Describe(p.Choices)))) + ")";
        }

        /// <summary>The values of the parameters; null and the reason if the arguments do not fit.</summary>
        private object[] Values(MonoBehaviour component, NpcAction action, out string broken)
        {
            foreach (KeyValuePair<string, JsonValue> field in action.Arguments.Fields)
            {
                if (!Array.Exists(_parameters, p => p.Name == field.Key && p.IsArgument))
                {
                    broken = "there is no parameter '" + field.Key + "'";
                    return null;
                }
            }
            var values = new object[_parameters.Length];
            for (int i = 0; i < values.Length; i++)
            {
                ActionParameter parameter = _parameters[i];
                JsonValue given = action.Arguments[parameter.Name];
                if (!parameter.IsArgument)
                {
                    values[i] = action;
                }
                else if (given == null && parameter.IsOptional)
                {
                    values[i] = parameter.Default;
                }
                else if (given == null)
                {
                    broken = "the argument '" + parameter.Name + "' is missing";
                    return null;
                }
                else
                {
                    string[] allowed = parameter.AllowedNames(component);
                    values[i] = parameter.Convert(given, allowed);
                    if (values[i] == null)
                    {
                        broken = "the argument '" + parameter.Name + "' must be " + parameter.Describe(allowed) + ", it is " + given;
                        return null;
                    }
                }
            }
            broken = null;
            return values;
        }
    }
}
