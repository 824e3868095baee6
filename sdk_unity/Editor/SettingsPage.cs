using System.IO;
using UnityEditor;
using UnityEngine;

namespace Callsheet.Editor
{
    /// <summary>Project Settings > Callsheet.</summary>
    internal static class SettingsPage
    {
        private const string Folder = "Assets/Resources";
        private const string AssetPath = Folder + "/" + CallsheetSettings.ResourceName + ".asset";

        /// <summary>The asset that the game loads, wherever it lies; else the first there is, null if there is none.</summary>
        internal static string Choose(string[] paths) =>
            System.Array.Find(paths, IsLoaded) ?? (paths.Length > 0 ? paths[0] : null);

        /// <summary>True if the game finds the asset by itself.</summary>
        internal static bool IsLoaded(string path) => path.EndsWith("/Resources/" + CallsheetSettings.ResourceName + ".asset");

        [SettingsProvider]
        private static SettingsProvider Create() => new SettingsProvider("Project/Callsheet", SettingsScope.Project)
        {
            label = "Callsheet",
            keywords = new[] { "NPC", "LLM", "server", "world", "token" },
            guiHandler = search => Draw(),
        };

        private static void Draw()
        {
            string path = Choose(System.Array.ConvertAll(AssetDatabase.FindAssets("t:" + nameof(CallsheetSettings)), AssetDatabase.GUIDToAssetPath));
            CallsheetSettings asset = path == null ? null : AssetDatabase.LoadAssetAtPath<CallsheetSettings>(path);
            if (asset == null)
            {
                EditorGUILayout.HelpBox("The project uses the defaults: a server on this machine, port 8765.", MessageType.Info);
                if (GUILayout.Button("Create settings in " + AssetPath))
                {
                    Directory.CreateDirectory(Folder);
                    AssetDatabase.CreateAsset(ScriptableObject.CreateInstance<CallsheetSettings>(), AssetPath);
                    AssetDatabase.SaveAssets();
                }
            }
            else
            {
                if (!IsLoaded(path))
                {
                    EditorGUILayout.HelpBox(
                        path + " is used by clients it is assigned to. For all others move it into a Resources folder and name it "
                        + CallsheetSettings.ResourceName + ".",
                        MessageType.Warning);
                }
                DrawFields(new SerializedObject(asset));
            }
            EditorGUILayout.Space();
            string command = EditorPrefs.GetString(LocalServer.CommandPreference, LocalServer.DefaultCommand);
            string changed = EditorGUILayout.TextField("Server program (this machine)", command);
            if (changed != command)
            {
                EditorPrefs.SetString(LocalServer.CommandPreference, changed);
            }
        }

        private static void DrawFields(SerializedObject settings)
        {
            settings.Update();
            SerializedProperty field = settings.GetIterator();
            for (bool first = true; field.NextVisible(first); first = false)
            {
                if (field.name != "m_Script")
                {
                    EditorGUILayout.PropertyField(field, true);
                }
            }
            settings.ApplyModifiedProperties();
        }
    }
}
