using System.IO;
using UnityEditor;
using UnityEditor.Build;
using UnityEditor.Build.Reporting;
using UnityEditor.UnityLinker;

namespace Callsheet.Editor
{
    /// <summary>Hands Unity's linker what <see cref="ActionLinkXml"/> says; a link.xml inside a package is ignored.</summary>
    internal sealed class ActionLinkerProcessor : IUnityLinkerProcessor
    {
        private const string File = "Library/Callsheet/link.xml";

        public int callbackOrder => 0;

        public string GenerateAdditionalLinkXmlFile(BuildReport report, UnityLinkerBuildPipelineData data)
        {
            string path = Path.GetFullPath(File);
            Directory.CreateDirectory(Path.GetDirectoryName(path));
            System.IO.File.WriteAllText(path, ActionLinkXml.For(TypeCache.GetMethodsWithAttribute<CallsheetActionAttribute>()));
            return path;
        }
    }
}
