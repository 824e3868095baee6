using System.Collections.Generic;
using System.Linq;
using UnityEditor;
using UnityEngine;

namespace Callsheet.Editor
{
    /// <summary>Who is about to talk: every NPC, the soonest first, while the game plays.</summary>
    internal sealed class NpcWindow : EditorWindow
    {
        private const int MaxRows = 200;
        private string _filter = "";
        private Vector2 _scroll;

        [MenuItem("Tools/Callsheet/NPC Window", priority = 20)]
        private static void Open() => GetWindow<NpcWindow>("Callsheet NPCs");

        /// <summary>The rows that are shown, the soonest first.</summary>
        internal static List<NpcRow> Rows(IEnumerable<CallsheetNpc> npcs, string filter) =>
            npcs.Where(n => n.Npc != null && n.NpcId.IndexOf(filter, System.StringComparison.OrdinalIgnoreCase) >= 0)
                .Select(n => new NpcRow(n.Npc))
                .OrderBy(row => row.SortKey)
                .ThenBy(row => row.Name, System.StringComparer.Ordinal)
                .Take(MaxRows)
                .ToList();

        private void OnInspectorUpdate() => Repaint();

        private void OnGUI()
        {
            if (!Application.isPlaying || !CallsheetClient.Exists)
            {
                EditorGUILayout.HelpBox("Press Play: the NPCs of the world are shown here.", MessageType.Info);
                return;
            }
            CallsheetClient client = CallsheetClient.Instance;
            EditorGUILayout.LabelField("Connection", Connection(client));
            _filter = EditorGUILayout.TextField("Filter", _filter);
            Line("NPC", "Distance", "Estimator", "Tier", "Last reply");
            _scroll = EditorGUILayout.BeginScrollView(_scroll);
            foreach (NpcRow row in Rows(client.Npcs, _filter))
            {
                Line(row.Name, row.Distance, row.Estimator, row.Tier, row.Reply);
            }
            EditorGUILayout.EndScrollView();
        }

        private static string Connection(CallsheetClient client)
        {
            string trip = client.Session.RoundTripS.HasValue ? ", " + (client.Session.RoundTripS.Value * 1000).ToString("F0") + " ms" : "";
            string engine = client.Session.Welcome == null ? "" : ", engine " + client.Session.Welcome.Engine.Name;
            return client.State + trip + engine + ", " + client.Npcs.Count + " NPCs";
        }

        private static void Line(string name, string distance, string estimator, string tier, string reply)
        {
            EditorGUILayout.BeginHorizontal();
            EditorGUILayout.LabelField(name, GUILayout.Width(140));
            EditorGUILayout.LabelField(distance, GUILayout.Width(70));
            EditorGUILayout.LabelField(estimator, GUILayout.Width(90));
            EditorGUILayout.LabelField(tier, GUILayout.Width(60));
            EditorGUILayout.LabelField(reply);
            EditorGUILayout.EndHorizontal();
        }
    }
}
