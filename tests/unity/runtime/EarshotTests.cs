using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>Who overhears a line, and lines without an answer.</summary>
    public class EarshotTests : PlayingFixture
    {
        [Test]
        public void A_line_is_as_loud_as_who_says_it()
        {
            CallsheetNpc bob = Alive("bob");
            CallsheetPlayer ann = new GameObject("ann").AddComponent<CallsheetPlayer>();
            bob.Say("Psst!");
            ann.Audible = 12;
            bob.Say("Help!");
            CallsheetNpc ida = Npc("ida");
            ida.Audible = 3;
            bob.Say("Come!", ida);
            PlayerLoop.Frame();
            JsonValue[] said = Sent("say").ToArray();
            Assert.That(said[0]["audible_m"], Is.Null);
            Assert.That(said[0]["speaker"]["id"].Text, Is.EqualTo("ann"));
            Assert.That(said[1]["audible_m"].Number, Is.EqualTo(12));
            Assert.That(said[2]["audible_m"].Number, Is.EqualTo(3));
            Assert.That(said[2]["speaker"]["kind"].Text, Is.EqualTo("npc"));
        }

        [Test]
        public void A_line_can_be_heard_without_an_answer()
        {
            CallsheetNpc bob = Alive("bob");
            CallsheetPlayer ann = new GameObject("ann").AddComponent<CallsheetPlayer>();
            Answer<OkMessage> thunder = bob.Hear("Thunder.");
            bob.Hear("Fine day.", ann);
            PlayerLoop.Frame();
            JsonValue[] heard = Sent("hear").ToArray();
            Assert.That(heard[0]["npcs"].ToString(), Is.EqualTo("[\"bob\"]"));
            Assert.That(heard[0]["speaker"]["kind"].Text, Is.EqualTo("narrator"));
            Assert.That(heard[1]["speaker"]["id"].Text, Is.EqualTo("ann"));
            Assert.That(thunder.IsComplete, Is.False);
            Server.SendText("{\"type\":\"ok\",\"seq\":2,\"id\":" + heard[0]["id"] + "}");
            PlayerLoop.Frame();
            Assert.That(thunder.IsComplete && thunder.Error == null);
            Assert.That(() => bob.Hear(""), Throws.InstanceOf<CallsheetException>());
        }
    }
}
