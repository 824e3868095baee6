using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>NPCs as the server is told of them: ids that are taken, refusals, changes, colours.</summary>
    public class NpcTests : PlayingFixture
    {
        [Test]
        public void Two_objects_of_one_name_get_two_ids()
        {
            Assert.That(new[] { Npc("guard").NpcId, Npc("guard").NpcId, Npc("guard").NpcId }, Is.EqualTo(new[] { "guard", "guard:2", "guard:3" }));
        }

        [Test]
        public void An_id_that_is_taken_is_an_error_that_names_the_object()
        {
            Npc("one", id: "same");
            CallsheetNpc two = Npc("two", id: "same");
            Assert.That(Debug.Lines.Single(), Is.StringContaining("'two'").And.StringContaining("'same'"));
            Assert.That(() => two.Say("Hello!"), Throws.InvalidOperationException);
        }

        [Test]
        public void An_npc_that_the_server_refuses_is_one_error_that_names_the_object()
        {
            Npc("bob");
            CallsheetNpc bad = Npc("The bad one");
            CallsheetError why = null;
            bad.Refused += error => why = error;
            RunToConnection();
            Connect();
            Server.SendText("{\"type\":\"error\",\"seq\":1,\"id\":" + Sent("spawn").Single()["id"]
                + ",\"code\":\"unknown_adapter\",\"message\":\"no such adapter\",\"field\":\"npcs.1.adapter\",\"value\":\"\\\"typo\\\"\"}");
            Frames(0.2);
            Assert.That(Debug.Lines.Single(), Is.EqualTo(
                "Error: [Callsheet] NPC 'The bad one' is not in the world: unknown_adapter: no such adapter (adapter: \"typo\")"));
            Assert.That(why.Code, Is.EqualTo(ErrorCode.UnknownAdapter));
            Assert.That(Sent("spawn").Single()["npcs"].Items.Single()["npc"].Text, Is.EqualTo("bob"));
        }

        [Test]
        public void A_change_of_persona_reaches_the_server()
        {
            CallsheetNpc bob = Alive("bob");
            bob.Persona = "You are rich now.";
            bob.InteractionRadius = 9;
            PlayerLoop.Frame();
            List<JsonValue> updates = Sent("update_npc");
            Assert.That(updates[0]["persona"].Text, Is.EqualTo("You are rich now."));
            Assert.That(updates[1]["interaction_radius_m"].Number, Is.EqualTo(9));
        }

        [Test]
        public void States_colour_the_gizmo()
        {
            CallsheetNpc bob = Alive("bob");
            Server.SendText("{\"type\":\"npc_states\",\"game_time_s\":1,\"part\":0,\"parts\":1,\"npcs\":[{\"npc\":\"bob\",\"handle\":7,"
                + "\"position\":[0,0,0],\"distance_s\":0.0,\"estimator\":\"proximity\",\"tier\":\"device\",\"in_conversation\":false}],\"players\":[]}");
            PlayerLoop.Frame();
            Color color = NpcColors.Of(bob.Npc.LastState);
            Assert.That(color.g, Is.GreaterThan(color.r));
            Assert.That(color.a, Is.EqualTo(1f));
            Assert.That(NpcColors.Of(null).a, Is.LessThan(0.5f));
        }

        [Test]
        public void A_gizmo_is_drawn_of_what_is_selected_and_of_all_only_while_the_game_plays()
        {
            PlayerLoop.EnterEditMode();
            CallsheetNpc bob = new GameObject("bob").AddComponent<CallsheetNpc>();
            bob.InteractionRadius = 5;
            Assert.That(Drawn(bob, "OnDrawGizmos"), Is.Empty, "a scene that is edited is not covered with spheres");
            Assert.That(Drawn(bob, "OnDrawGizmosSelected"), Is.EqualTo(new[] { 5f }));
            EnterPlayMode();
            PlayerLoop.Enable(bob);
            Assert.That(Drawn(bob, "OnDrawGizmos"), Is.EqualTo(new[] { 5f }));
        }

        private static float[] Drawn(CallsheetNpc npc, string message)
        {
            Gizmos.Spheres.Clear();
            typeof(CallsheetNpc).GetMethod(message, System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic).Invoke(npc, null);
            return Gizmos.Spheres.ToArray();
        }
    }
}
