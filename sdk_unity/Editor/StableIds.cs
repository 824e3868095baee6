using System.Collections.Generic;
using UnityEditor;
using UnityEditor.SceneManagement;
using UnityEngine;
using UnityEngine.SceneManagement;

namespace Callsheet.Editor
{
    /// <summary>
    /// Gives each NPC of an open scene an id of its own while the scene is edited: to those without one,
    /// and to copies of others. What an NPC remembers is kept under its id, which must not depend on names
    /// that change or on who wakes first.
    /// </summary>
    internal static class StableIds
    {
        private const string NoIdInScene = "It gets an id of its own as soon as the scene changes, is saved or is played.";
        private const string IdOfPrefab = "All instances of this prefab that are made while the game plays want this one id, and only the first gets it. "
            + "Leave it empty: instances in a scene get ids of their own, and to those made in code give one by NpcId.";
        private const string NumberedId = "This id was made from the name of the object, and others have that name: they are numbered in the order they "
            + "wake, which can differ from run to run, and then they swap memories. Set NpcId where it is instantiated.";
        private static readonly Dictionary<string, CallsheetNpc> Owners = new Dictionary<string, CallsheetNpc>();

        /// <summary>Reads as the name, and ends with eight digits that no other has: a new one at each call.</summary>
        internal static string New(string name) => Ids.Readable(Ids.Spoken(name)) + "-" + System.Guid.NewGuid().ToString("N").Substring(0, 8);

        /// <summary>The id that an NPC has or lacks, if that puts what it remembers at risk; null if not.</summary>
        internal static string Warning(CallsheetNpc npc)
        {
            if (Application.isPlaying)
            {
                return npc.HasNumberedId ? NumberedId : null;
            }
            bool hasId = !string.IsNullOrEmpty(npc.NpcId);
            return IsInScene(npc) ? (hasId ? null : NoIdInScene) : (hasId ? IdOfPrefab : null);
        }

        /// <summary>An NPC keeps the id it has, and that of two with one id in one scene had it first.</summary>
        internal static void Assign()
        {
            if (Application.isPlaying)
            {
                return;
            }
            var kept = new Dictionary<string, CallsheetNpc>();
            var nameless = new List<CallsheetNpc>();
            foreach (CallsheetNpc npc in Resources.FindObjectsOfTypeAll<CallsheetNpc>())
            {
                if (!IsInScene(npc))
                {
                    continue;
                }
                string key = KeyOf(npc);
                if (string.IsNullOrEmpty(npc.NpcId))
                {
                    nameless.Add(npc);
                }
                else if (!kept.TryGetValue(key, out CallsheetNpc other))
                {
                    kept.Add(key, npc);
                }
                else
                {
                    bool isFirst = Owners.TryGetValue(key, out CallsheetNpc owner) && owner == npc;
                    kept[key] = isFirst ? npc : other;
                    nameless.Add(isFirst ? other : npc);
                }
            }
            foreach (CallsheetNpc npc in nameless)
            {
                SetId(npc, New(npc.name));
                kept.Add(KeyOf(npc), npc);
            }
            Owners.Clear();
            foreach (KeyValuePair<string, CallsheetNpc> entry in kept)
            {
                Owners.Add(entry.Key, entry.Value);
            }
        }

        [InitializeOnLoadMethod]
        private static void Watch()
        {
            EditorApplication.hierarchyChanged += Assign;
            EditorApplication.playModeStateChanged += change => Assign();
            EditorSceneManager.sceneSaving += (scene, path) => Assign();
        }

        /// <summary>False for prefabs: an id that is given to one would be that of all its instances.</summary>
        private static bool IsInScene(CallsheetNpc npc) => !EditorUtility.IsPersistent(npc) && !EditorSceneManager.IsPreviewSceneObject(npc);

        /// <summary>An NPC may stand in several scenes under one id; in one scene an id is that of one NPC.</summary>
        private static string KeyOf(CallsheetNpc npc) => npc.gameObject.scene.handle + "/" + npc.NpcId;

        private static void SetId(CallsheetNpc npc, string id)
        {
            var fields = new SerializedObject(npc);
            fields.FindProperty("npcId").stringValue = id;
            fields.ApplyModifiedPropertiesWithoutUndo();
        }
    }
}
