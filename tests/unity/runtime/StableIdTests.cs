using System.Linq;
using Callsheet.Editor;
using NUnit.Framework;
using UnityEditor;
using UnityEngine;
using UnityEngine.SceneManagement;

namespace Callsheet.Tests
{
    /// <summary>Ids that the editor gives to the NPCs of a scene.</summary>
    public class StableIdTests : PlayingFixture
    {
        [SetUp]
        public void Edit() => PlayerLoop.EnterEditMode();

        [TearDown]
        public void Close()
        {
            EditorUtility.Persistent.Clear();
            SceneManager.ActiveHandle = 1;
        }

        [Test]
        public void A_new_id_says_the_name_and_is_new_each_time()
        {
            string id = StableIds.New("村長 (1)");
            Assert.That(id, Is.StringMatching("^u6751u9577-[0-9a-f]{8}$"));
            Assert.That(StableIds.New("村長 (1)"), Is.Not.EqualTo(id));
            Assert.That(StableIds.New(new string('長', 100)).Length, Is.LessThanOrEqualTo(64));
        }

        [Test]
        public void An_npc_put_into_a_scene_gets_an_id_that_stays()
        {
            CallsheetNpc bob = Put("Bob");
            Assert.That(StableIds.Warning(bob), Is.Not.Null);
            StableIds.Assign();
            string id = bob.NpcId;
            Assert.That(id, Is.StringMatching("^Bob-[0-9a-f]{8}$"));
            Assert.That(StableIds.Warning(bob), Is.Null);
            bob.gameObject.name = "Robert";
            StableIds.Assign();
            Assert.That(bob.NpcId, Is.EqualTo(id));
        }

        [Test]
        public void An_id_written_by_hand_stays()
        {
            CallsheetNpc bob = Put("Bob", "the-baker");
            StableIds.Assign();
            Assert.That(bob.NpcId, Is.EqualTo("the-baker"));
        }

        [TestCase(true)]
        [TestCase(false)]
        public void Of_a_copy_and_its_original_the_copy_gets_a_new_id(bool isFoundFirst)
        {
            CallsheetNpc[] pair = { Put("Guard"), Put("Guard (1)") };
            CallsheetNpc copy = pair[isFoundFirst ? 0 : 1], original = pair[isFoundFirst ? 1 : 0];
            original.NpcId = "guard-1";
            copy.NpcId = "elsewhere";
            StableIds.Assign();
            copy.NpcId = "guard-1";
            StableIds.Assign();
            Assert.That(original.NpcId, Is.EqualTo("guard-1"));
            Assert.That(copy.NpcId, Is.StringMatching("^Guard-[0-9a-f]{8}$"));
        }

        [Test]
        public void A_hundred_copies_have_a_hundred_ids()
        {
            CallsheetNpc[] guards = Enumerable.Range(0, 100).Select(n => Put("Guard", "guard")).ToArray();
            StableIds.Assign();
            Assert.That(guards.Select(guard => guard.NpcId).Distinct().Count(), Is.EqualTo(100));
            Assert.That(guards.Count(guard => guard.NpcId == "guard"), Is.EqualTo(1));
        }

        [Test]
        public void One_npc_may_stand_in_two_scenes()
        {
            CallsheetNpc here = Put("Bob", "bob");
            SceneManager.ActiveHandle = 2;
            CallsheetNpc there = Put("Bob", "bob");
            StableIds.Assign();
            Assert.That(here.NpcId + " " + there.NpcId, Is.EqualTo("bob bob"));
        }

        [Test]
        public void A_prefab_gets_no_id_and_is_warned_about_if_it_has_one()
        {
            CallsheetNpc prefab = Put("Guard");
            EditorUtility.Persistent.Add(prefab);
            StableIds.Assign();
            Assert.That(prefab.NpcId, Is.Empty);
            Assert.That(StableIds.Warning(prefab), Is.Null);
            prefab.NpcId = "guard";
            Assert.That(StableIds.Warning(prefab), Is.StringContaining("prefab"));
        }

        [Test]
        public void Ids_made_by_order_of_waking_are_warned_about_while_the_game_plays()
        {
            EnterPlayMode();
            CallsheetNpc alone = Npc("Bob"), first = Npc("Guard(Clone)"), second = Npc("Guard(Clone)"), named = Npc("Guard(Clone)", "", "g3");
            StableIds.Assign();
            Assert.That(new[] { alone, first, second, named }.Select(npc => StableIds.Warning(npc) != null), Is.EqualTo(new[] { false, true, true, false }));
            Assert.That(second.NpcId, Is.EqualTo(first.NpcId + ":2"), "nothing is assigned while the game plays");
        }

        private static CallsheetNpc Put(string name, string id = "")
        {
            CallsheetNpc npc = new GameObject(name).AddComponent<CallsheetNpc>();
            npc.NpcId = id;
            return npc;
        }
    }
}
