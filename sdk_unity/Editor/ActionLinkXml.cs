using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Text;

namespace Callsheet.Editor
{
    /// <summary>The link.xml that keeps [CallsheetAction] methods, which are found by name, from being stripped.</summary>
    internal static class ActionLinkXml
    {
        internal static string For(IEnumerable<MethodInfo> methods)
        {
            var xml = new StringBuilder("<linker>\n");
            foreach (IGrouping<Assembly, MethodInfo> assembly in methods.GroupBy(m => m.DeclaringType.Assembly).OrderBy(g => g.Key.GetName().Name, StringComparer.Ordinal))
            {
                xml.Append("  <assembly fullname=\"").Append(assembly.Key.GetName().Name).Append("\">\n");
                foreach (Type type in assembly.Select(m => m.DeclaringType).Distinct().OrderBy(t => t.FullName, StringComparer.Ordinal))
                {
                    // In a link.xml, nested types are written with a slash.
                    xml.Append("    <type fullname=\"").Append(type.FullName.Replace('+', '/')).Append("\" preserve=\"all\"/>\n");
                }
                xml.Append("  </assembly>\n");
            }
            return xml.Append("</linker>\n").ToString();
        }
    }
}
