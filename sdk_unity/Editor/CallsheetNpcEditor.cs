using UnityEditor;
using UnityEditor.SceneManagement;
using UnityEngine;

namespace Callsheet.Editor
{
    /// <summary>The inspector of an NPC: its fields and, while the game plays, its state and a line to say.</summary>
    [CustomEditor(typeof(CallsheetNpc))]
    [CanEditMultipleObjects]
    internal sealed class CallsheetNpcEditor : UnityEditor.Editor
    {
        private string _line = "Hello!";

        public override bool RequiresConstantRepaint() => Application.isPlaying;

        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            var npc = (CallsheetNpc)target;
            if (!Application.isPlaying && string.IsNullOrEmpty(npc.NpcId) && !IsPrefab(npc))
            {
                DrawMissingId();
            }
            if (!Application.isPlaying || npc.Npc == null)
            {
                return;
            }
            var row = new NpcRow(npc.Npc);
            EditorGUILayout.Space();
            EditorGUILayout.LabelField("Distance", row.Distance + (row.Estimator.Length > 0 ? " (" + row.Estimator + ")" : ""));
            EditorGUILayout.LabelField("Tier", row.Tier);
            EditorGUILayout.LabelField("Last reply", row.Reply);
            _line = EditorGUILayout.TextField("Say", _line);
            if (GUILayout.Button("Say it") && _line.Length > 0)
            {
                npc.Say(_line);
            }
        }

        /// <summary>A name with eight digits that no other object has: a new one at each call.</summary>
        internal static string StableId(string name) => Ids.From(name) + "-" + System.Guid.NewGuid().ToString("N").Substring(0, 8);

        /// <summary>An id given to a prefab would be that of all its instances.</summary>
        private static bool IsPrefab(CallsheetNpc npc) =>
            PrefabUtility.IsPartOfPrefabAsset(npc) || PrefabStageUtility.GetPrefabStage(npc.gameObject) != null;

        private void DrawMissingId()
        {
            EditorGUILayout.HelpBox(
                "What an NPC remembers is kept under its id. Without one it is made from the object's name; objects of one name are "
                + "numbered in the order they wake, which can differ from run to run, and then they swap memories.",
                MessageType.Warning);
            if (!GUILayout.Button("Make a stable id"))
            {
                return;
            }
            foreach (Object one in targets)
            {
                var fields = new SerializedObject(one);
                fields.Update();
                SerializedProperty id = fields.FindProperty("npcId");
                if (id.stringValue.Length == 0)
                {
                    id.stringValue = StableId(one.name);
                }
                fields.ApplyModifiedProperties();
            }
        }
    }
}
