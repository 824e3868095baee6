using System;
using System.Linq;
using System.Reflection;
using Callsheet.Editor;
using NUnit.Framework;
using UnityEditor;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>What the editor shows and does by itself.</summary>
    public class InspectorTests : PlayingFixture
    {
        [TearDown]
        public void Forget()
        {
            AssetDatabase.Files.Clear();
            EditorUtility.Persistent.Clear();
            TypeCache.Types.Clear();
        }

        [Test]
        public void The_inspector_lists_the_actions_of_an_npc()
        {
            CallsheetNpc bob = Alive("bob");
            bob.gameObject.AddComponent<ActionTests.Doer>();
            string[] shown = Inspect(bob);
            Assert.That(shown, Has.Member("Action: open(door: a string, times: an integer, speed: a number, how: one of Softly, Loudly) - Doer"));
            Assert.That(shown.Count(line => line.StartsWith("Action: ")), Is.EqualTo(4));
        }

        [Test]
        public void The_inspector_warns_of_ids_made_by_order_of_waking_and_of_ids_of_prefabs()
        {
            CallsheetNpc first = Npc("guard"), second = Npc("guard"), named = Npc("guard", id: "g3");
            Assert.That(Warnings(first).Single(), Is.StringContaining("numbered in the order they wake"));
            Assert.That(Warnings(second).Single(), Is.StringContaining("numbered in the order they wake"));
            Assert.That(Warnings(named), Is.Empty);
            PlayerLoop.EnterEditMode();
            CallsheetNpc prefab = new GameObject("prefab").AddComponent<CallsheetNpc>();
            prefab.NpcId = "guard";
            EditorUtility.Persistent.Add(prefab);
            Assert.That(Warnings(prefab).Single(), Is.StringContaining("All instances of this prefab"));
        }

        [Test]
        public void An_npc_that_is_put_into_a_scene_gets_its_id_by_itself()
        {
            PlayerLoop.EnterEditMode();
            Watch(typeof(StableIds));
            CallsheetNpc bob = new GameObject("Bob").AddComponent<CallsheetNpc>();
            EditorApplication.ChangeHierarchy();
            Assert.That(bob.NpcId, Is.StringMatching("^Bob-[0-9a-f]{8}$"));
        }

        [Test]
        public void An_action_that_no_npc_can_call_is_told_once_when_play_begins()
        {
            Watch(typeof(UnreachableActions));
            TypeCache.Types.Add(typeof(JudgeTests.Bell));
            new GameObject("stray").AddComponent<JudgeTests.Bell>();
            EditorApplication.ChangePlayMode(PlayModeStateChange.EnteredPlayMode);
            EditorApplication.ChangePlayMode(PlayModeStateChange.ExitingPlayMode);
            Assert.That(Debug.Lines.Single(), Is.StringStarting("Warning: [Callsheet] Bell.Ring: no NPC can call it"));
        }

        [Test]
        public void The_settings_page_shows_what_is_wrong_and_where_the_asset_lies()
        {
            AssetDatabase.Files["Assets/Town/Server.asset"] = ScriptableObject.CreateInstance<CallsheetSettings>();
            Assert.That(Draw(), Has.Member("Asset: Assets/Town/Server.asset"));
            AssetDatabase.Files["Assets/Town/Other.asset"] = ScriptableObject.CreateInstance<CallsheetSettings>();
            Assert.That(Draw().Single(line => line.StartsWith("Error: ")), Is.StringContaining("Assets/Town/Other.asset is used."));
        }

        private static string[] Draw() => Shown(() => typeof(SettingsPage).GetMethod("Draw", BindingFlags.Static | BindingFlags.NonPublic).Invoke(null, null));

        private static string[] Inspect(CallsheetNpc npc) => Shown(() => new CallsheetNpcEditor { target = npc }.OnInspectorGUI());

        private static string[] Warnings(CallsheetNpc npc) => Inspect(npc).Where(line => line.StartsWith("Warning: ")).ToArray();

        private static string[] Shown(Action draw)
        {
            EditorGUILayout.Shown.Clear();
            draw();
            return EditorGUILayout.Shown.ToArray();
        }

        private static void Watch(Type type) => type.GetMethod("Watch", BindingFlags.Static | BindingFlags.NonPublic).Invoke(null, null);
    }
}
