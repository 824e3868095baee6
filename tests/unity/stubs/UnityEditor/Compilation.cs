using System;

namespace UnityEditor.Compilation
{
    [Flags]
    public enum AssembliesType
    {
        Editor = 0,
        Player = 1,
        PlayerWithoutTestAssemblies = 2,
    }

    public class Assembly
    {
        public string name { get; private set; }
    }

    public static class CompilationPipeline
    {
        public static Assembly[] GetAssemblies(AssembliesType assembliesType) => new Assembly[0];

        public static string GetAssemblyDefinitionFilePathFromAssemblyName(string assemblyName) =>
            assemblyName.StartsWith("Assembly-CSharp") ? null : "Assets/" + assemblyName + "/" + assemblyName + ".asmdef";
    }
}
