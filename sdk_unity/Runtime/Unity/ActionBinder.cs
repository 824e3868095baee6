using System;
using System.Collections.Generic;
using System.Reflection;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>Finds [CallsheetAction] methods and calls them with arguments that are checked first.</summary>
    internal static class ActionBinder
    {
        private const BindingFlags Methods = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        private static readonly Dictionary<Type, Dictionary<string, MethodInfo>> Found = new Dictionary<Type, Dictionary<string, MethodInfo>>();

        internal static void Reset() => Found.Clear();

        /// <summary>Begins to carry an action out; the server is told what becomes of it. False if no method does it.</summary>
        internal static bool TryRun(GameObject npc, NpcAction action)
        {
            foreach (MonoBehaviour component in npc.GetComponents<MonoBehaviour>())
            {
                if (component != null && MethodsOf(component.GetType()).TryGetValue(action.Name, out MethodInfo method))
                {
                    Run(component, method, action);
                    return true;
                }
            }
            return false;
        }

        /// <summary>The arguments of a method from those of an action; null and the reason if they do not fit.</summary>
        private static object[] Arguments(MethodInfo method, NpcAction action, out string broken)
        {
            JsonValue given = action.Arguments;
            ParameterInfo[] parameters = method.GetParameters();
            var values = new object[parameters.Length];
            foreach (KeyValuePair<string, JsonValue> field in given.Fields)
            {
                if (!Array.Exists(parameters, p => p.Name == field.Key && p.ParameterType != typeof(NpcAction)))
                {
                    broken = "there is no parameter '" + field.Key + "'";
                    return null;
                }
            }
            for (int i = 0; i < parameters.Length; i++)
            {
                JsonValue value = given[parameters[i].Name];
                if (parameters[i].ParameterType == typeof(NpcAction))
                {
                    values[i] = action;
                }
                else if (value == null && parameters[i].HasDefaultValue)
                {
                    values[i] = parameters[i].DefaultValue;
                }
                else if (value == null)
                {
                    broken = "the argument '" + parameters[i].Name + "' is missing";
                    return null;
                }
                else if (!TryConvert(value, parameters[i].ParameterType, out values[i]))
                {
                    broken = "the argument '" + parameters[i].Name + "' must be " + Describe(parameters[i].ParameterType) + ", it is " + value;
                    return null;
                }
            }
            broken = null;
            return values;
        }

        private static void Run(MonoBehaviour component, MethodInfo method, NpcAction action)
        {
            object[] values = Arguments(method, action, out string broken);
            if (values == null)
            {
                ActionRun.Fail(action, broken);
                return;
            }
            object returned;
            try
            {
                returned = method.Invoke(component, values);
            }
            catch (TargetInvocationException thrown)
            {
                ActionRun.Fail(component, action, thrown.InnerException);
                return;
            }
            bool completesItself = method.ReturnType == typeof(void) && Array.IndexOf(values, action) >= 0;
            if (!completesItself)
            {
                ActionRun.Follow(component, action, returned);
            }
        }

        private static Dictionary<string, MethodInfo> MethodsOf(Type type)
        {
            if (Found.TryGetValue(type, out Dictionary<string, MethodInfo> methods))
            {
                return methods;
            }
            methods = new Dictionary<string, MethodInfo>();
            foreach (MethodInfo method in type.GetMethods(Methods))
            {
                var attribute = (CallsheetActionAttribute)Attribute.GetCustomAttribute(method, typeof(CallsheetActionAttribute));
                if (attribute == null)
                {
                    continue;
                }
                string name = attribute.Name ?? method.Name;
                ParameterInfo odd = Array.Find(method.GetParameters(), p => Describe(p.ParameterType) == null);
                if (odd != null)
                {
                    Debug.LogError("[Callsheet] " + type.Name + "." + method.Name + ": a [CallsheetAction] cannot have a parameter of type " + odd.ParameterType.Name);
                }
                else if (!ActionRun.CanReturn(method.ReturnType))
                {
                    Debug.LogError("[Callsheet] " + type.Name + "." + method.Name + ": a [CallsheetAction] returns " + ActionRun.Results
                        + ", not " + method.ReturnType.Name);
                }
                else
                {
                    methods[name] = method;
                }
            }
            Found[type] = methods;
            return methods;
        }

        private static bool TryConvert(JsonValue value, Type type, out object converted)
        {
            converted = null;
            if (type == typeof(JsonValue))
            {
                converted = value;
            }
            else if (type == typeof(string))
            {
                converted = value.Text;
            }
            else if (type == typeof(bool) && value.Type == JsonType.Boolean)
            {
                converted = value.Boolean;
            }
            else if (type == typeof(int) && value.Integer >= int.MinValue && value.Integer <= int.MaxValue)
            {
                converted = (int)value.Integer.Value;
            }
            else if (type == typeof(long) && value.Integer.HasValue)
            {
                converted = value.Integer.Value;
            }
            else if (type == typeof(float) && value.Type == JsonType.Number)
            {
                converted = (float)value.Number;
            }
            else if (type == typeof(double) && value.Type == JsonType.Number)
            {
                converted = value.Number;
            }
            else if (type.IsEnum && value.Text != null && Array.IndexOf(Enum.GetNames(type), value.Text) >= 0)
            {
                converted = Enum.Parse(type, value.Text);
            }
            return converted != null;
        }

        /// <summary>What a parameter of that type takes; null if there can be none.</summary>
        private static string Describe(Type type)
        {
            if (type == typeof(JsonValue) || type == typeof(NpcAction))
            {
                return "any value";
            }
            if (type == typeof(string))
            {
                return "a string";
            }
            if (type == typeof(bool))
            {
                return "true or false";
            }
            if (type == typeof(int) || type == typeof(long))
            {
                return "an integer";
            }
            if (type == typeof(float) || type == typeof(double))
            {
                return "a number";
            }
            return type.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(type)) : null;
        }
    }
}
