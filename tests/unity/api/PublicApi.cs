using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace Callsheet.Tests
{
    /// <summary>Prints the public types and members of assemblies, one a line, sorted.</summary>
    internal static class PublicApi
    {
        private const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

        private static void Main(string[] paths)
        {
            foreach (string line in paths.Select(Assembly.LoadFrom).SelectMany(a => a.GetExportedTypes()).SelectMany(Lines).OrderBy(l => l, StringComparer.Ordinal))
            {
                Console.WriteLine(line);
            }
        }

        private static IEnumerable<string> Lines(Type type)
        {
            yield return type.FullName + (type.IsEnum ? " { " + string.Join(", ", Enum.GetNames(type)) + " }" : "");
            if (type.IsEnum || type.IsSubclassOf(typeof(Delegate)))
            {
                yield break;
            }
            foreach (MemberInfo member in type.GetMembers(Declared))
            {
                var method = member as MethodInfo;
                if (method == null || (!method.IsSpecialName && method.DeclaringType != typeof(object)))
                {
                    yield return type.FullName + ": " + member + Accessors(member as PropertyInfo);
                }
            }
        }

        private static string Accessors(PropertyInfo property) =>
            property == null ? "" : property.GetSetMethod() == null ? " { get; }" : " { get; set; }";
    }
}
