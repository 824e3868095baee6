using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>What the server is told that NPCs can do, and when.</summary>
    public class DeclaredActionTests : PlayingFixture
    {
        private const string DoorsInReach = "[\"front\",\"back\"]";

        [Test]
        public void An_npc_is_spawned_with_what_its_methods_can_do()
        {
            House();
            RunToConnection();
            Connect();
            JsonValue spec = Sent("spawn").Single()["npcs"].Items.Single()["action_specs"].Items.Single();
            Assert.That(spec["name"].Text, Is.EqualTo("lock"));
            Assert.That(spec["description"].Text, Is.EqualTo("Locks a door."));
            Assert.That(spec["parameters"]["properties"]["door"]["enum"].ToString(), Is.EqualTo(DoorsInReach));
        }

        [Test]
        public void What_is_in_reach_is_told_anew_before_a_talk_if_it_has_changed()
        {
            CallsheetNpc keeper = House();
            Spawned();
            keeper.Say("Lock up!");
            PlayerLoop.Frame();
            Assert.That(Sent().Select(message => message["type"].Text), Is.EqualTo(new[] { "say" }));
            keeper.GetComponent<Doors>().InReach.Add("cellar");
            keeper.Say("Lock up!");
            PlayerLoop.Frame();
            List<JsonValue> sent = Sent();
            Assert.That(sent.Select(message => message["type"].Text), Is.EqualTo(new[] { "update_npc", "say" }));
            Assert.That(sent[0]["action_specs"].Items.Single()["parameters"]["properties"]["door"]["enum"].Items.Count, Is.EqualTo(3));
            keeper.GetComponent<Doors>().InReach.Clear();
            keeper.Say("Lock up!");
            PlayerLoop.Frame();
            Assert.That(Sent("update_npc").Single()["action_specs"].Items, Is.Empty);
        }

        [Test]
        public void A_new_session_is_told_the_last_specs()
        {
            CallsheetNpc keeper = House();
            Spawned();
            keeper.GetComponent<Doors>().InReach.Clear();
            keeper.Say("Lock up!");
            PlayerLoop.Frame();
            Server.Drop(4008);
            RunToConnection();
            Connect();
            Assert.That(Sent("spawn").Single()["npcs"].Items.Single()["action_specs"].Items, Is.Empty);
        }

        [Test]
        public void A_server_that_does_not_know_specs_is_not_told()
        {
            CallsheetNpc keeper = House();
            Spawned("1.2");
            keeper.GetComponent<Doors>().InReach.Clear();
            keeper.Say("Lock up!");
            PlayerLoop.Frame();
            Assert.That(Sent("update_npc").Where(message => message["action_specs"] != null), Is.Empty);
        }

        [Test]
        public void A_note_of_the_server_is_in_the_console_once()
        {
            House();
            Spawned(note: ",\"note\":\"this model chooses badly\"");
            Assert.That(Debug.Lines.Single(), Is.StringContaining("this model chooses badly"));
        }

        private static CallsheetNpc House()
        {
            var keeper = new GameObject("keeper");
            keeper.SetActive(false);
            CallsheetNpc npc = keeper.AddComponent<CallsheetNpc>();
            npc.NpcId = "keeper";
            keeper.AddComponent<Doors>();
            keeper.SetActive(true);
            return npc;
        }

        private void Spawned(string protocol = ProtocolInfo.Protocol, string note = "")
        {
            RunToConnection();
            Server.Accept();
            PlayerLoop.Frame();
            Server.SendText(Rig.WelcomeText(protocol: protocol));
            PlayerLoop.Frame();
            JsonValue spawn = Sent("spawn").Single();
            Assert.That(spawn["npcs"].Items.Single()["action_specs"] != null, Is.EqualTo(protocol == ProtocolInfo.Protocol));
            Debug.Lines.Clear();
            Server.SendText("{\"type\":\"spawned\",\"seq\":1,\"id\":" + spawn["id"] + ",\"npcs\":[{\"npc\":\"keeper\",\"handle\":7}],\"players\":[]" + note + "}");
            PlayerLoop.Frame();
        }

        /// <summary>Knows the doors only once it is awake.</summary>
        internal sealed class Doors : MonoBehaviour
        {
            internal List<string> InReach;

            [CallsheetAction("lock", "Locks a door.")]
            internal void Lock([NamesFrom(nameof(Names))] string door)
            {
            }

            internal IEnumerable<string> Names() => InReach;

            private void Awake()
            {
                InReach = new List<string> { "front", "back" };
            }
        }
    }
}
