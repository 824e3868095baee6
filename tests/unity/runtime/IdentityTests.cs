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
        [TestCase("Bob the Baker", "Bob_the_Baker-0e5f008e")]
        [TestCase("guard_1.north-gate", "guard_1.north-gate")]
        [TestCase("村長", "u6751u9577")]
        [TestCase("鍛冶", "u935bu51b6")]
        [TestCase("Café", "Cafu00e9")]
        [TestCase("Мария", "u041cu0430u0440u0438u044f")]
        [TestCase("\U0001F409", "u1f409")]
        [TestCase("", "_-811c9dc5")]
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
        public void Names_that_differ_in_punctuation_alone_have_different_ids_whoever_wakes_first()
        {
            string[] names = { "Guard-1", "Guard_1", "Guard 1", "Guard.1", "Guard (1)", "Guard(1)", "村 長", "村_長" };
            string[] ids = names.Select(name => Npc(name).NpcId).ToArray();
            Assert.That(ids.Distinct().Count(), Is.EqualTo(names.Length));
            PlayerLoop.LoadScene();
            PlayerLoop.Frame();
            Assert.That(names.Reverse().Select(name => Npc(name).NpcId).Reverse(), Is.EqualTo(ids));
            Assert.That(names.Select(Ids.From), Is.EqualTo(ids), "none of them was taken");
        }

        [Test]
        public void No_name_has_the_id_of_a_copy()
        {
            string[] ids = { Npc("guard").NpcId, Npc("guard").NpcId, Npc("guard-2").NpcId, Npc("guard:2").NpcId };
            Assert.That(ids, Is.EqualTo(new[] { "guard", "guard:2", "guard-2", Ids.From("guard:2") }));
            Assert.That(ids.Distinct().Count(), Is.EqualTo(4));
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

        [TestCase("Guard(Clone)", "Guard")]
        [TestCase("Guard (3)(Clone)", "Guard")]
        [TestCase("", "bob")]
        public void A_name_set_while_the_game_plays_is_told_as_it_is_spoken(string set, string spoken)
        {
            CallsheetNpc bob = Alive("bob");
            bob.DisplayName = set;
            PlayerLoop.Frame();
            Assert.That(bob.DisplayName, Is.EqualTo(set));
            Assert.That(Sent("update_npc").Single()["name"].Text, Is.EqualTo(spoken));
        }

        [Test]
        public void A_player_that_is_renamed_while_the_game_plays_is_told_anew()
        {
            CallsheetPlayer ann = new GameObject("Ann").AddComponent<CallsheetPlayer>();
            Connect();
            Frames(0.2);
            Server.SendText("{\"type\":\"spawned\",\"seq\":1,\"id\":" + Sent("spawn").Single()["id"] + ",\"npcs\":[],\"players\":[{\"player\":\"Ann\",\"handle\":1}]}");
            PlayerLoop.Frame();
            ann.DisplayName = "Dame Ann";
            Frames(0.2);
            var sent = Sent();
            Assert.That(sent.Single(m => m["type"].Text == "despawn")["players"].Items.Single().Text, Is.EqualTo("Ann"));
            JsonValue spec = sent.Single(m => m["type"].Text == "spawn")["players"].Items.Single();
            Assert.That(spec["player"].Text + " " + spec["name"].Text, Is.EqualTo("Ann Dame Ann"));
        }

        [Test]
        public void Who_came_first_stays_the_local_player_whatever_happens_meanwhile()
        {
            CallsheetPlayer ann = new GameObject("Ann").AddComponent<CallsheetPlayer>();
            CallsheetPlayer ben = new GameObject("Ben").AddComponent<CallsheetPlayer>();
            ann.DisplayName = "Dame Ann";
            Assert.That(CallsheetClient.Instance.LocalPlayer, Is.SameAs(ann));
            ann.gameObject.SetActive(false);
            Assert.That(CallsheetClient.Instance.LocalPlayer, Is.SameAs(ben));
            ann.gameObject.SetActive(true);
            Assert.That(CallsheetClient.Instance.LocalPlayer, Is.SameAs(ann));
            UnityEngine.Object.Destroy(ann.gameObject);
            PlayerLoop.Frame();
            Assert.That(CallsheetClient.Instance.LocalPlayer, Is.SameAs(ben));
        }

        [Test]
        public void Names_set_before_the_object_is_enabled_are_told_as_they_are_spoken()
        {
            var owner = new GameObject("object");
            owner.SetActive(false);
            owner.AddComponent<CallsheetNpc>().DisplayName = "Guard(Clone)";
            owner.AddComponent<CallsheetPlayer>().DisplayName = "Ann (1)";
            owner.SetActive(true);
            Connect();
            JsonValue spawn = Sent("spawn").Single();
            Assert.That(spawn["npcs"].Items.Single()["name"].Text, Is.EqualTo("Guard"));
            Assert.That(spawn["players"].Items.Single()["name"].Text, Is.EqualTo("Ann"));
        }

        [Test]
        public void Instances_of_a_prefab_and_objects_of_a_pool_are_called_what_the_prefab_is()
        {
            var prefab = new GameObject("Guard");
            prefab.SetActive(false);
            prefab.AddComponent<CallsheetNpc>();
            GameObject pooled = UnityEngine.Object.Instantiate(prefab);
            Assert.That(pooled.name, Is.EqualTo("Guard(Clone)"));
            CallsheetNpc npc = pooled.GetComponent<CallsheetNpc>();
            npc.NpcId = "g1";
            pooled.SetActive(true);
            Connect();
            Assert.That(Sent("spawn").Single()["npcs"].Items.Single()["name"].Text, Is.EqualTo("Guard"));
            pooled.SetActive(false);
            npc.NpcId = "g2";
            pooled.SetActive(true);
            Frames(0.2);
            Assert.That(Sent("spawn").Single()["npcs"].Items.Single()["name"].Text, Is.EqualTo("Guard"));
        }

        [Test]
        public void What_an_npc_is_told_of_its_actions_calls_it_by_its_name()
        {
            CallsheetNpc bob = Alive("bob");
            bob.gameObject.name = "bob(Clone)";
            bob.Say("Dance!");
            PlayerLoop.Frame();
            string about = "\",\"seq\":2,\"id\":" + Sent("say").Single()["id"] + ",\"reply\":1,\"action\":1,\"npc\":\"bob\"";
            Server.SendText("{\"type\":\"action" + about + ",\"name\":\"dance\",\"arguments\":{}}");
            PlayerLoop.Frame();
            Assert.That(Sent("action_result").Single()["message"].Text, Is.EqualTo("nothing in the game carries out dance of bob"));
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
