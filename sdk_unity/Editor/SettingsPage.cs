using UnityEditor;
using UnityEngine;

namespace Callsheet.Editor
{
    /// <summary>Project Settings > Callsheet.</summary>
    internal static class SettingsPage
    {
        private const string NewPath = "Assets/" + CallsheetSettings.AssetName + ".asset";

        [SettingsProvider]
        private static SettingsProvider Create() => new SettingsProvider("Project/Callsheet", SettingsScope.Project)
        {
            label = "Callsheet",
            keywords = new[] { "NPC", "LLM", "server", "world", "token" },
            guiHandler = search => Draw(),
        };

        private static void Draw()
        {
            CallsheetSettings asset = SettingsAsset.Find(out string fault);
            if (fault != null)
            {
                EditorGUILayout.HelpBox(fault, MessageType.Error);
            }
            if (asset != null)
            {
                EditorGUILayout.LabelField("Asset", AssetDatabase.GetAssetPath(asset));
                DrawFields(new SerializedObject(asset));
            }
            else
            {
                EditorGUILayout.HelpBox("The project uses the defaults: a server on this machine, port 8765.", MessageType.Info);
                if (fault == null && GUILayout.Button("Create settings in " + NewPath))
                {
                    AssetDatabase.CreateAsset(ScriptableObject.CreateInstance<CallsheetSettings>(), NewPath);
                    AssetDatabase.SaveAssets();
                }
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
