using System;
using System.Collections.Generic;

namespace Callsheet
{
    /// <summary>
    /// The [CallsheetAction] methods by class. In an IL2CPP build generated code fills it
    /// (<c>CallsheetActions.g.cs</c> in each assembly that has some); elsewhere the classes are looked through
    /// when they are first met.
    /// </summary>
    public static class ActionTable
    {
        private static readonly Dictionary<Type, ActionMethod[]> Declared = new Dictionary<Type, ActionMethod[]>();
        private static readonly Dictionary<Type, ActionMethod[]> Inherited = new Dictionary<Type, ActionMethod[]>();

        /// <summary>Adds the methods that a class itself declares; for generated code.</summary>
        public static void Add(Type type, params ActionMethod[] methods) => Declared[type] = methods;

        /// <summary>The methods of a class and its base classes; of one name, the most derived.</summary>
        internal static ActionMethod[] Of(Type type)
        {
            if (Inherited.TryGetValue(type, out ActionMethod[] known))
            {
                return known;
            }
            var methods = new List<ActionMethod>();
            for (Type t = type; t != null; t = t.BaseType)
            {
                foreach (ActionMethod method in DeclaredBy(t))
                {
                    if (!methods.Exists(m => m.Name == method.Name))
                    {
                        methods.Add(method);
                    }
                }
            }
            return Inherited[type] = methods.ToArray();
        }

        /// <summary>Forgets what was looked up, so that its faults are told again in the next play session.</summary>
        internal static void Reset() => Inherited.Clear();

        private static ActionMethod[] DeclaredBy(Type type)
        {
            if (Declared.TryGetValue(type, out ActionMethod[] methods))
            {
                return methods;
            }
#if ENABLE_IL2CPP && !UNITY_EDITOR
            return Array.Empty<ActionMethod>();
#else
            return ActionReflection.DeclaredBy(type);
#endif
        }
    }
}
