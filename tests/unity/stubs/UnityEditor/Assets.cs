using System.Collections.Generic;
using System.Linq;

namespace UnityEditor
{
    public sealed class AssetDatabase
    {
        /// <summary>The project's assets by path; null = one that cannot be loaded. Not part of Unity's API.</summary>
        public static readonly Dictionary<string, UnityEngine.Object> Files = new Dictionary<string, UnityEngine.Object>();

        public static T LoadAssetAtPath<T>(string assetPath)
            where T : UnityEngine.Object => Files.TryGetValue(assetPath, out UnityEngine.Object found) ? found as T : null;

        /// <summary>All there are: the filter is not looked at, and a path is its own GUID.</summary>
        public static string[] FindAssets(string filter) => Files.Keys.ToArray();

        public static string GUIDToAssetPath(string guid) => guid;

        public static string GetAssetPath(UnityEngine.Object assetObject) => Files.FirstOrDefault(file => file.Value == assetObject).Key;

        public static void CreateAsset(UnityEngine.Object asset, string path) => Files.Add(path, asset);

        public static void Refresh()
        {
        }

        public static void SaveAssets()
        {
        }

        public static void ImportAsset(string path)
        {
        }

        public static bool DeleteAsset(string path) => Files.Remove(path);
    }

    public enum BuildTarget
    {
        StandaloneOSX = 2,
        StandaloneWindows = 5,
        iOS = 9,
        Android = 13,
        StandaloneWindows64 = 19,
        WebGL = 20,
        StandaloneLinux64 = 24,
        PS4 = 31,
    }

    public sealed class PlayerSettings
    {
        private static UnityEngine.Object[] _preloaded = new UnityEngine.Object[0];

        public static UnityEngine.Object[] GetPreloadedAssets() => _preloaded;

        public static void SetPreloadedAssets(UnityEngine.Object[] assets) => _preloaded = assets;
    }
}

namespace UnityEditor.Build
{
    public interface IOrderedCallback
    {
        int callbackOrder { get; }
    }

    public class BuildFailedException : System.Exception
    {
        public BuildFailedException(string message)
            : base(message)
        {
        }
    }

    public interface IPreprocessBuildWithReport : IOrderedCallback
    {
        void OnPreprocessBuild(Reporting.BuildReport report);
    }
}

namespace UnityEditor.Build.Reporting
{
    public struct BuildSummary
    {
        public BuildTarget platform { get; internal set; }
    }

    public sealed class BuildReport : UnityEngine.Object
    {
        public BuildSummary summary { get; internal set; }
    }
}
