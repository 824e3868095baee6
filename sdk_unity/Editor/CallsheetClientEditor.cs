using CoreState = Callsheet.Core.SessionState;
using UnityEditor;
using UnityEngine;

namespace Callsheet.Editor
{
    /// <summary>The inspector of the client: its settings and, while the game plays, its connection.</summary>
    [CustomEditor(typeof(CallsheetClient))]
    internal sealed class CallsheetClientEditor : UnityEditor.Editor
    {
        public override bool RequiresConstantRepaint() => Application.isPlaying;

        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            var client = (CallsheetClient)target;
            if (!Application.isPlaying || client.Session == null)
            {
                return;
            }
            EditorGUILayout.Space();
            EditorGUILayout.LabelField("State", client.State.ToString());
            EditorGUILayout.LabelField("NPCs", client.Npcs.Count.ToString());
            EditorGUILayout.LabelField("Open requests", client.Session.OpenRequests.ToString());
            if (client.Session.LastError != null)
            {
                EditorGUILayout.HelpBox(client.Session.LastError.ToString(), MessageType.Warning);
            }
            if (client.State == CoreState.Failed && GUILayout.Button("Reconnect"))
            {
                client.Reconnect();
            }
        }
    }
}
