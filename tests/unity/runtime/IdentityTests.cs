using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>Ids and names of NPCs and players: where they come from, and what a change of them means.</summary>
    public class IdentityTests : PlayingFixture
    {
        [TestCase("Bob the Baker", "Bob_the_Baker")]
        [TestCase("村長", "u6751u9577")]
        [TestCase("鍛冶", "u935bu51b6")]
        [TestCase("Café", "Cafu00e9")]
        [TestCase("Мария", "u041cu0430u0440u0438u044f")]
        [TestCase("\U0001F409", "u1f409")]
        [TestCase("", "_")]
        public void An_id_from_a_name_keeps_every_script(string name, string id)
        {
            Assert.That(Ids.From(name), Is.EqualTo(id));
        }

        [Test]
        public void Long_names_that_differ_at_their_ends_have_different_ids()
        {
            string[] names = { new string('長', 40) + "一", new string('長', 40) + "二", new string('a', 80), new string('a', 81) };
            string[] ids = names.Select(Ids.From).ToArray();
            Assert.That(ids.Distinct().Count(), Is.EqualTo(4));
            Assert.That(ids.All(id => id.Length <= 55));
        }

        [Test]
        public void Npcs_named_in_any_script_have_the_same_ids_whoever_wakes_first()
        {
            string[] first = { Npc("村長").NpcId, Npc("鍛冶").NpcId };
            PlayerLoop.LoadScene();
            PlayerLoop.Frame();
            string[] second = { Npc("鍛冶").NpcId, Npc("村長").NpcId };
            Assert.That(second.Reverse(), Is.EqualTo(first));
        }

        [TestCase("Guard(Clone)", "Guard")]
        [TestCase("Guard(Clone)(Clone)", "Guard")]
        [TestCase("Guard (12)", "Guard")]
        [TestCase("Guard (12)(Clone)", "Guard")]
        [TestCase("Guard (night)", "Guard (night)")]
        [TestCase("Guard ()", "Guard ()")]
        [TestCase("(Clone)", "(Clone)")]
        [TestCase(" (1)", " (1)")]
        public void What_unity_appends_to_a_name_reaches_no_prompt(string name, string spoken)
        {
            Npc(name);
            new GameObject(name).AddComponent<CallsheetPlayer>();
            Connect();
            JsonValue spawn = Sent("spawn").Single();
            Assert.That(spawn["npcs"].Items.Single()["name"].Text, Is.EqualTo(spoken));
            Assert.That(spawn["players"].Items.Single()["name"].Text, Is.EqualTo(spoken));
        }

        [Test]
        public void An_id_set_right_after_the_component_was_added_counts()
        {
            CallsheetNpc npc = new GameObject("object").AddComponent<CallsheetNpc>();
            npc.NpcId = "smith";
            CallsheetPlayer player = new GameObject("object").AddComponent<CallsheetPlayer>();
            player.PlayerId = "ann";
            Connect();
            JsonValue spawn = Sent("spawn").Single();
            Assert.That(spawn["npcs"].Items.Single()["npc"].Text, Is.EqualTo("smith"));
            Assert.That(spawn["players"].Items.Single()["player"].Text, Is.EqualTo("ann"));
            Frames(0.2);
            Assert.That(Sent("despawn"), Is.Empty);
            Assert.That(CallsheetClient.Instance.Npcs.Single(), Is.SameAs(npc));
        }

        [Test]
        public void A_pooled_object_that_gets_another_id_is_another_npc()
        {
            CallsheetNpc pooled = Alive("bob");
            int completed = 0;
            pooled.ReplyCompleted += r => completed++;
            Reply old = pooled.Say("Hello!");
            pooled.gameObject.SetActive(false);
            pooled.NpcId = "eve";
            Assert.That(pooled.NpcId, Is.EqualTo("eve"));
            Frames(0.2);
            Assert.That(Sent("despawn").Single()["npcs"].Items.Single().Text, Is.EqualTo("bob"));
            pooled.gameObject.SetActive(true);
            Frames(0.2);
            Assert.That(Sent("spawn").Single()["npcs"].Items.Single()["npc"].Text, Is.EqualTo("eve"));
            Assert.That(CallsheetClient.Instance.World.Npcs.Single().Id, Is.EqualTo("eve"));
            Assert.That(old.Npc.Id, Is.EqualTo("bob"));
            Server.Drop(CloseCodes.SlowConsumer);
            Frames(0.1);
            Assert.That(old.IsComplete);
            Assert.That(completed, Is.EqualTo(0), "what became of the old one is no business of the new one");
        }

        [Test]
        public void The_same_id_again_changes_nothing()
        {
            CallsheetNpc bob = Alive("bob");
            bob.NpcId = "bob";
            Frames(0.2);
            Assert.That(Sent("despawn"), Is.Empty);
            Assert.That(bob.Npc.IsSpawned);
        }
    }
}
