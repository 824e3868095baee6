using System;
using System.Linq;
using UnityEditor;
using UnityEditor.Build;
using UnityEditor.Build.Reporting;
using UnityEngine;
using Object = UnityEngine.Object;

namespace Callsheet.Editor
{
    /// <summary>The project's settings: found wherever the asset lies, and loaded by builds before their first scene.</summary>
    internal sealed class SettingsAsset : IPreprocessBuildWithReport
    {
        private const string FileName = CallsheetSettings.AssetName + ".asset";

        public int callbackOrder => 0;

        public void OnPreprocessBuild(BuildReport report) => Preload(Find());

        /// <summary>The asset that counts, null if there is none; and what is wrong, with the remedy, null if nothing is.</summary>
        internal static CallsheetSettings Find(out string fault)
        {
            string path = Choose(Array.ConvertAll(AssetDatabase.FindAssets("t:" + nameof(CallsheetSettings)), AssetDatabase.GUIDToAssetPath), out fault);
            CallsheetSettings asset = path == null ? null : AssetDatabase.LoadAssetAtPath<CallsheetSettings>(path);
            if (path != null && asset == null)
            {
                fault = path + " cannot be loaded: reimport it, or delete it and create another in Project Settings > Callsheet. The defaults hold until then.";
            }
            return asset;
        }

        /// <summary>Among several that of the default name counts, else the first by path, and that is a fault.</summary>
        internal static string Choose(string[] paths, out string fault)
        {
            string[] all = paths.Distinct().OrderBy(path => path, StringComparer.Ordinal).ToArray();
            string[] named = Array.FindAll(all, path => path.EndsWith("/" + FileName, StringComparison.Ordinal));
            string[] candidates = named.Length > 0 ? named : all;
            fault = candidates.Length < 2 ? null
                : "The project has several settings: " + string.Join(", ", candidates) + ". " + candidates[0] + " is used. Keep the name " + FileName
                    + " for one alone; assign the others to the clients that use them, or delete them.";
            return candidates.FirstOrDefault();
        }

        /// <summary>Has the player load these settings, and no others, when it starts.</summary>
        internal static void Preload(CallsheetSettings settings)
        {
            Object[] before = PlayerSettings.GetPreloadedAssets();
            Object[] after = before.Where(asset => !(asset is CallsheetSettings)).Concat(settings == null ? new Object[0] : new Object[] { settings }).ToArray();
            if (!after.SequenceEqual(before))
            {
                PlayerSettings.SetPreloadedAssets(after);
            }
        }

        [InitializeOnLoadMethod]
        private static void Register() => CallsheetSettings.FindInProject = Find;

        private static CallsheetSettings Find()
        {
            CallsheetSettings asset = Find(out string fault);
            if (fault != null)
            {
                Debug.LogError("[Callsheet] " + fault);
            }
            return asset;
        }
    }
}
