using System.Collections.Generic;
using UnityEditor;
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
            string warning = StableIds.Warning(npc);
            if (warning != null)
            {
                EditorGUILayout.HelpBox(warning, MessageType.Warning);
            }
            DrawActions(npc);
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

        private static void DrawActions(CallsheetNpc npc)
        {
            foreach (KeyValuePair<MonoBehaviour, ActionMethod> action in npc.Actions.Find())
            {
                EditorGUILayout.LabelField("Action", action.Value + " - " + action.Key.GetType().Name);
            }
        }
    }
}
