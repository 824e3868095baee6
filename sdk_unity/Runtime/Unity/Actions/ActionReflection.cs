#if !ENABLE_IL2CPP || UNITY_EDITOR
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Text.RegularExpressions;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>Makes <see cref="ActionMethod"/>s from the attributes of a class; in the editor and on Mono.</summary>
    internal static class ActionReflection
    {
        private const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        private const BindingFlags Named = Own | BindingFlags.Static;
        private static readonly Regex ActionName = new Regex("^[A-Za-z_][A-Za-z0-9_]{0,63}$");
        private static readonly Dictionary<Type, ParameterKind> Kinds = new Dictionary<Type, ParameterKind>
        {
            { typeof(string), ParameterKind.Text },
            { typeof(bool), ParameterKind.Flag },
            { typeof(int), ParameterKind.Int },
            { typeof(long), ParameterKind.Long },
            { typeof(float), ParameterKind.Float },
            { typeof(double), ParameterKind.Double },
            { typeof(JsonValue), ParameterKind.Json },
            { typeof(NpcAction), ParameterKind.Action },
        };

        /// <summary>The methods that the class itself declares; what cannot be one is told in the console.</summary>
        internal static ActionMethod[] DeclaredBy(Type type)
        {
            var methods = new List<ActionMethod>();
            foreach (MethodInfo method in type.GetMethods(Own))
            {
                if (!Attribute.IsDefined(method, typeof(CallsheetActionAttribute), false))
                {
                    continue;
                }
                string fault = Fault(method);
                if (fault == null)
                {
                    methods.Add(Describe(method));
                }
                else
                {
                    Debug.LogError("[Callsheet] " + type.Name + "." + method.Name + ": " + fault);
                }
            }
            return methods.ToArray();
        }

        /// <summary>Why a method cannot carry out an action; null if it can.</summary>
        internal static string Fault(MethodInfo method)
        {
            string name = NameOf(method);
            if (!ActionName.IsMatch(name))
            {
                return "'" + name + "' is no name for an action: up to 64 letters, digits and underscores, no digit first";
            }
            if (method.IsStatic || method.IsGenericMethod || method.DeclaringType.IsGenericType || !typeof(MonoBehaviour).IsAssignableFrom(method.DeclaringType))
            {
                return "a [CallsheetAction] is an instance method of a MonoBehaviour; neither is generic";
            }
            if (!ActionRun.CanReturn(method.ReturnType))
            {
                return "a [CallsheetAction] returns " + ActionRun.Results + ", not " + method.ReturnType.Name;
            }
            return method.GetParameters().Select(Fault).FirstOrDefault(fault => fault != null);
        }

        internal static ActionMethod Describe(MethodInfo method)
        {
            var attribute = (CallsheetActionAttribute)Attribute.GetCustomAttribute(method, typeof(CallsheetActionAttribute), false);
            ActionParameter[] parameters = Array.ConvertAll(method.GetParameters(), Describe);
            return new ActionMethod(
                NameOf(method), attribute.Description, method.ReturnType == typeof(void), (component, values) => Invoke(method, component, values), parameters);
        }

        /// <summary>The property or method of the class that [NamesFrom] names; null if there is none that yields strings.</summary>
        internal static MethodInfo NamesOf(ParameterInfo parameter)
        {
            var from = (NamesFromAttribute)Attribute.GetCustomAttribute(parameter, typeof(NamesFromAttribute));
            Type type = parameter.Member.DeclaringType;
            MethodInfo found = type.GetProperty(from.Member, Named)?.GetGetMethod(true) ?? type.GetMethod(from.Member, Named, null, Type.EmptyTypes, null);
            return found != null && typeof(IEnumerable<string>).IsAssignableFrom(found.ReturnType) ? found : null;
        }

        private static string NameOf(MethodInfo method) =>
            ((CallsheetActionAttribute)Attribute.GetCustomAttribute(method, typeof(CallsheetActionAttribute), false)).Name ?? method.Name;

        private static string Fault(ParameterInfo parameter)
        {
            Type type = parameter.ParameterType;
            bool hasKind = Kinds.TryGetValue(type, out ParameterKind kind);
            if (!hasKind && !type.IsEnum)
            {
                return "a [CallsheetAction] cannot have a parameter of type " + type.Name;
            }
            bool isNumber = hasKind && kind >= ParameterKind.Int && kind <= ParameterKind.Double;
            if (!isNumber && Attribute.IsDefined(parameter, typeof(WithinAttribute)))
            {
                return "[Within] bounds a number, and '" + parameter.Name + "' is none";
            }
            bool hasNames = Attribute.IsDefined(parameter, typeof(NamesFromAttribute));
            if (hasNames && type != typeof(string))
            {
                return "[NamesFrom] is for a string, and '" + parameter.Name + "' is none";
            }
            return hasNames && NamesOf(parameter) == null ? "[NamesFrom] of '" + parameter.Name + "' names no property or method of the class that yields strings" : null;
        }

        private static ActionParameter Describe(ParameterInfo parameter)
        {
            Type type = parameter.ParameterType;
            var described = new ActionParameter(parameter.Name, type.IsEnum ? ParameterKind.Choice : Kinds[type])
            {
                IsOptional = parameter.HasDefaultValue,
                Default = parameter.HasDefaultValue ? DefaultOf(parameter) : null,
            };
            var within = (WithinAttribute)Attribute.GetCustomAttribute(parameter, typeof(WithinAttribute));
            if (within != null)
            {
                described.Min = within.Min;
                described.Max = within.Max;
            }
            if (type.IsEnum)
            {
                described.Choices = Enum.GetNames(type);
                described.Values = Array.ConvertAll(described.Choices, name => Enum.Parse(type, name));
            }
            if (Attribute.IsDefined(parameter, typeof(NamesFromAttribute)))
            {
                MethodInfo names = NamesOf(parameter);
                described.Names = component => (IEnumerable<string>)Invoke(names, component, null);
            }
            return described;
        }

        /// <summary>Of an enum the value itself: metadata may hold the number under it.</summary>
        private static object DefaultOf(ParameterInfo parameter) =>
            parameter.ParameterType.IsEnum ? Enum.ToObject(parameter.ParameterType, parameter.DefaultValue) : parameter.DefaultValue;

        /// <summary>Calls a method; what it throws comes out as thrown.</summary>
        private static object Invoke(MethodInfo method, MonoBehaviour component, object[] values)
        {
            try
            {
                return method.Invoke(component, values);
            }
            catch (TargetInvocationException thrown)
            {
                ExceptionDispatchInfo.Capture(thrown.InnerException).Throw();
                throw;
            }
        }
    }
}
#endif
