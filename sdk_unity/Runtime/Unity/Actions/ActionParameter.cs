using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>The type of an action's parameter.</summary>
    public enum ParameterKind
    {
        /// <summary>A string.</summary>
        Text,

        /// <summary>True or false.</summary>
        Flag,

        /// <summary>An int.</summary>
        Int,

        /// <summary>A long.</summary>
        Long,

        /// <summary>A float.</summary>
        Float,

        /// <summary>A double.</summary>
        Double,

        /// <summary>An enum, by the name of its value.</summary>
        Choice,

        /// <summary>Any JSON value.</summary>
        Json,

        /// <summary>The action itself: no argument stands for it.</summary>
        Action,
    }

    /// <summary>A parameter of a [CallsheetAction] method. Generated code makes them; a game has no need to.</summary>
    public sealed class ActionParameter
    {
        /// <summary>Makes one; what it may be is set in the properties.</summary>
        public ActionParameter(string name, ParameterKind kind)
        {
            Name = name;
            Kind = kind;
        }

        /// <summary>Its name in the method.</summary>
        public string Name { get; }

        /// <summary>What kind of value it takes.</summary>
        public ParameterKind Kind { get; }

        /// <summary>True: the argument may be missing, and <see cref="Default"/> stands for it.</summary>
        public bool IsOptional { get; set; }

        /// <summary>The value of an argument that is missing.</summary>
        public object Default { get; set; }

        /// <summary>The smallest number allowed; null = any.</summary>
        public double? Min { get; set; }

        /// <summary>The greatest number allowed; null = any.</summary>
        public double? Max { get; set; }

        /// <summary>The names of an enum's values.</summary>
        public string[] Choices { get; set; }

        /// <summary>The values of an enum, in the order of <see cref="Choices"/>.</summary>
        public object[] Values { get; set; }

        /// <summary>The names that a string may be now, given the component; null = any string.</summary>
        public Func<MonoBehaviour, IEnumerable<string>> Names { get; set; }

        internal bool IsArgument => Kind != ParameterKind.Action;

        /// <summary>What it may be now, for an enum and for names; null = not a matter of names.</summary>
        internal string[] AllowedNames(MonoBehaviour component) =>
            Names == null ? Choices : (Names(component) ?? Enumerable.Empty<string>()).Where(name => !string.IsNullOrEmpty(name)).Distinct().ToArray();

        /// <summary>The value as the method takes it; null if it does not fit.</summary>
        internal object Convert(JsonValue value, string[] allowed)
        {
            switch (Kind)
            {
                case ParameterKind.Json: return value;
                case ParameterKind.Text: return allowed == null || Array.IndexOf(allowed, value.Text) >= 0 ? value.Text : null;
                case ParameterKind.Flag: return value.Type == JsonType.Boolean ? (object)value.Boolean : null;
                case ParameterKind.Choice:
                    int choice = Array.IndexOf(Choices, value.Text);
                    return choice < 0 ? null : Values[choice];
                case ParameterKind.Int:
                    return value.Integer >= int.MinValue && value.Integer <= int.MaxValue && IsWithin(value) ? (object)(int)value.Integer.Value : null;
                case ParameterKind.Long: return value.Integer.HasValue && IsWithin(value) ? (object)value.Integer.Value : null;
                case ParameterKind.Float: return value.Type == JsonType.Number && IsWithin(value) ? (object)(float)value.Number : null;
                case ParameterKind.Double: return value.Type == JsonType.Number && IsWithin(value) ? (object)value.Number : null;
                default: return null;
            }
        }

        /// <summary>Its JSON schema.</summary>
        internal JsonValue Schema(string[] allowed)
        {
            var schema = new List<KeyValuePair<string, JsonValue>>();
            string type = Kind == ParameterKind.Flag ? "boolean" : IsInteger ? "integer" : IsNumber ? "number" : Kind == ParameterKind.Json ? null : "string";
            if (type != null)
            {
                schema.Add(new KeyValuePair<string, JsonValue>("type", JsonValue.Of(type)));
            }
            if (allowed != null)
            {
                schema.Add(new KeyValuePair<string, JsonValue>("enum", JsonValue.Of(Array.ConvertAll(allowed, JsonValue.Of))));
            }
            if (Min != null)
            {
                schema.Add(new KeyValuePair<string, JsonValue>("minimum", Bound(Min.Value)));
            }
            if (Max != null)
            {
                schema.Add(new KeyValuePair<string, JsonValue>("maximum", Bound(Max.Value)));
            }
            return JsonValue.Of(schema);
        }

        /// <summary>What it takes, in words.</summary>
        internal string Describe(string[] allowed)
        {
            string bounds = Min == null ? "" : " from " + Bound(Min.Value) + " to " + Bound(Max.Value);
            return allowed != null ? "one of " + string.Join(", ", allowed)
                : Kind == ParameterKind.Flag ? "true or false"
                : Kind == ParameterKind.Text ? "a string"
                : (IsInteger ? "an integer" : IsNumber ? "a number" : "any value") + bounds;
        }

        private bool IsInteger => Kind == ParameterKind.Int || Kind == ParameterKind.Long;

        private bool IsNumber => IsInteger || Kind == ParameterKind.Float || Kind == ParameterKind.Double;

        private bool IsWithin(JsonValue value) => !(value.Number < Min) && !(value.Number > Max);

        private static JsonValue Bound(double bound) => bound == Math.Floor(bound) && Math.Abs(bound) < 1e15 ? JsonValue.Of((long)bound) : JsonValue.Of(bound);
    }
}
