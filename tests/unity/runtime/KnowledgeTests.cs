using System.Linq;
using System.Reflection;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>What NPCs know without a mod.</summary>
    public class KnowledgeTests : PlayingFixture
    {
        private const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.NonPublic;

        [Test]
        public void Facts_of_an_archetype_and_of_the_npc_go_out_with_it_and_when_they_change()
        {
            CallsheetSettings settings = ScriptableObject.CreateInstance<CallsheetSettings>();
            var facts = new ArchetypeKnowledge { archetype = "guard", facts = new TextAsset("The gate sticks.\r\n\n The king is ill. \n") };
            typeof(CallsheetSettings).GetField("knowledge", Hidden).SetValue(settings, new[] { facts });
            CallsheetSettings.FindInProject = () => settings;
            var owner = new GameObject("bob");
            owner.SetActive(false);
            CallsheetNpc bob = owner.AddComponent<CallsheetNpc>();
            bob.NpcId = "bob";
            bob.Archetype = "guard";
            bob.Know("Ann owes you three coins.");
            owner.SetActive(true);
            RunToConnection();
            Connect();
            JsonValue spawn = Sent("spawn").Single();
            Assert.That(Texts(spawn["npcs"].Items.Single()["knowledge"]), Is.EqualTo(new[] { "The gate sticks.", "The king is ill.", "Ann owes you three coins." }));
            Server.SendText("{\"type\":\"spawned\",\"seq\":1,\"id\":" + spawn["id"] + ",\"npcs\":[{\"npc\":\"bob\",\"handle\":7}],\"players\":[]}");
            PlayerLoop.Frame();
            bob.KnowNoMore("Ann owes you three coins.");
            bob.Know("The mill burnt down.");
            PlayerLoop.Frame();
            Assert.That(Texts(Sent("update_npc").Last()["knowledge"]), Is.EqualTo(new[] { "The gate sticks.", "The king is ill.", "The mill burnt down." }));
            Assert.That(() => bob.Know(new string('x', 501)), Throws.InstanceOf<CallsheetException>());
            bob.Know("It rains.");
            PlayerLoop.Frame();
            Assert.That(Sent("update_npc").Single()["knowledge"].Items.Count, Is.EqualTo(4));
        }

        [Test]
        public void Lore_and_flags_are_told_and_told_again_to_a_new_session()
        {
            Alive("bob");
            GameWorld world = CallsheetClient.Instance.World;
            Sent();
            world.SetLore(new ConditionalLore { Text = "The town is besieged.", Flag = "siege" });
            world.SetFlag("siege");
            world.SetFlag("siege");
            world.SetFlag("mill");
            world.SetFlag("mill", false);
            Assert.That(world.HasFlag("siege"), Is.True);
            Assert.That(() => world.SetFlag("the siege"), Throws.InstanceOf<CallsheetException>());
            PlayerLoop.Frame();
            JsonValue[] told = Sent("configure_world").ToArray();
            Assert.That(told[0]["lore_entries"].Items.Single()["flag"].Text, Is.EqualTo("siege"));
            Assert.That(told.Skip(1).Select(m => m["flags"].ToString()), Is.EqualTo(new[] { "[\"siege\"]", "[\"mill\",\"siege\"]", "[\"siege\"]" }));
            Server.Drop(4008);
            RunToConnection();
            Connect();
            JsonValue again = Sent("configure_world").Single();
            Assert.That(again["flags"].ToString(), Is.EqualTo("[\"siege\"]"));
            Assert.That(again["lore_entries"].Items.Count, Is.EqualTo(1));
        }

        private static string[] Texts(JsonValue list) => list.Items.Select(item => item.Text).ToArray();
    }
}
