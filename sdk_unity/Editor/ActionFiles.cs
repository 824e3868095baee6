using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using UnityEditor;
using UnityEditor.Compilation;
using UnityEngine;
using Assembly = UnityEditor.Compilation.Assembly;

namespace Callsheet.Editor
{
    /// <summary>Keeps a file with <see cref="ActionSource"/> in every assembly that has [CallsheetAction] methods, after each compilation.</summary>
    internal static class ActionFiles
    {
        internal const string FileName = "CallsheetActions.g.cs";

        /// <summary>The files to be, by path: null where none is wanted any more. What no build could call is told.</summary>
        internal static Dictionary<string, string> Wanted(IEnumerable<MethodInfo> methods, IEnumerable<string> assemblies)
        {
            ILookup<string, MethodInfo> sound = methods.Where(m => ActionReflection.Fault(m) == null).ToLookup(m => m.DeclaringType.Assembly.GetName().Name);
            var wanted = new Dictionary<string, string>();
            foreach (string assembly in assemblies)
            {
                string path = FolderOf(assembly) + "/" + FileName;
                List<MethodInfo> called = sound[assembly].Where(IsCallable).ToList();
                if (called.Count > 0 || File.Exists(path))
                {
                    wanted[path] = called.Count > 0 ? ActionSource.For(called) : null;
                }
            }
            return wanted;
        }

        [InitializeOnLoadMethod]
        private static void Update()
        {
            IEnumerable<string> assemblies = CompilationPipeline.GetAssemblies(AssembliesType.PlayerWithoutTestAssemblies).Select(a => a.name);
            foreach (KeyValuePair<string, string> file in Wanted(TypeCache.GetMethodsWithAttribute<CallsheetActionAttribute>(), assemblies))
            {
                if (file.Value == null)
                {
                    AssetDatabase.DeleteAsset(file.Key);
                }
                else if (Directory.Exists(Path.GetDirectoryName(file.Key)) && !(File.Exists(file.Key) && File.ReadAllText(file.Key) == file.Value))
                {
                    File.WriteAllText(file.Key, file.Value);
                    AssetDatabase.ImportAsset(file.Key);
                }
            }
        }

        private static bool IsCallable(MethodInfo method)
        {
            string hidden = ActionSource.Hidden(method);
            if (hidden != null)
            {
                Debug.LogWarning("[Callsheet] " + method.DeclaringType.Name + "." + method.Name + ": an IL2CPP build cannot call it: " + hidden);
            }
            return hidden == null;
        }

        /// <summary>Beside the assembly definition; an assembly of Unity's own making has none.</summary>
        private static string FolderOf(string assembly)
        {
            string definition = CompilationPipeline.GetAssemblyDefinitionFilePathFromAssemblyName(assembly);
            return definition != null ? Path.GetDirectoryName(definition).Replace('\\', '/')
                : assembly.EndsWith("-firstpass") ? "Assets/Plugins" : "Assets";
        }
    }
}
