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

        [SettingsProvider]
        private static SettingsProvider Create() => new SettingsProvider("Project/Callsheet", SettingsScope.Project)
        {
            label = "Callsheet",
            keywords = new[] { "NPC", "LLM", "server", "world", "token" },
            guiHandler = search => Draw(),
        };

        private static void Draw()
        {
            CallsheetSettings asset = AssetDatabase.LoadAssetAtPath<CallsheetSettings>(AssetPath);
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
