using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>NPCs out of a cast file in the project.</summary>
    public class CastTests : PlayingFixture
    {
        private const string File = "\uFEFF{\"format\":\"callsheet.cast\",\"version\":1,\"later\":[],\"lore\":\"It rains.\",\"npcs\":["
            + "{\"npc\":\"odila\",\"name\":\"Odila Farr\",\"persona\":\"Mends nets.\",\"archetype\":\"fisher\",\"sociability\":0.25,\"greetings\":[\"Hm.\"]},"
            + "{\"npc\":\"brom\",\"name\":\"Brom\"}]}";

        [Test]
        public void Bodies_become_the_npcs_of_a_cast()
        {
            Cast cast = CallsheetCast.Load(new TextAsset(File));
            Assert.That(cast.Lore, Is.EqualTo("It rains."));
            CallsheetNpc[] npcs = cast.Npcs.Select(one => CallsheetCast.Play(new GameObject("body"), one)).ToArray();
            Assert.That(npcs.All(npc => npc.gameObject.activeSelf));
            RunToConnection();
            Connect();
            JsonValue[] spawned = Sent("spawn").SelectMany(spawn => spawn["npcs"].Items).ToArray();
            Assert.That(spawned.Select(npc => npc["npc"].Text), Is.EqualTo(new[] { "odila", "brom" }));
            Assert.That(spawned[0]["name"].Text, Is.EqualTo("Odila Farr"));
            Assert.That(spawned[0]["persona"].Text, Is.EqualTo("Mends nets."));
            Assert.That(spawned[0]["archetype"].Text, Is.EqualTo("fisher"));
            Assert.That(spawned[0]["sociability"].Number, Is.EqualTo(0.25));
            Assert.That(cast.Find("odila").Greetings, Is.EqualTo(new[] { "Hm." }));
        }

        [Test]
        public void An_npc_of_the_scene_takes_over_the_part()
        {
            CallsheetNpc npc = Alive("extra");
            Sent();
            Cast cast = CallsheetCast.Load(new TextAsset(File));
            Assert.That(CallsheetCast.Play(npc.gameObject, cast.Find("brom")), Is.SameAs(npc));
            Frames(0.5);
            Assert.That(npc.NpcId, Is.EqualTo("brom"));
            Assert.That(Sent("spawn").Single()["npcs"].Items.Single()["npc"].Text, Is.EqualTo("brom"));
        }
    }
}
