using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>Which methods an NPC has, and what their signatures say.</summary>
    public class ActionTableTests : PlayingFixture
    {
        [Test]
        public void A_signature_is_the_spec()
        {
            ActionSpec spec = SpecOf(new GameObject("gate").AddComponent<Gate>(), "open_gate");
            Assert.That(spec.Description, Is.EqualTo("Opens the \"gate\"."));
            Assert.That(spec.Parameters.ToString(), Is.EqualTo(
                "{\"type\":\"object\",\"properties\":{"
                + "\"gate\":{\"type\":\"string\",\"enum\":[\"north\",\"south\"]},"
                + "\"how\":{\"type\":\"string\",\"enum\":[\"Wide\",\"Ajar\"]},"
                + "\"seconds\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":60},"
                + "\"speed\":{\"type\":\"number\",\"minimum\":0.5,\"maximum\":2},"
                + "\"loud\":{\"type\":\"boolean\"},"
                + "\"word\":{\"type\":\"string\"},"
                + "\"more\":{}},"
                + "\"required\":[\"gate\",\"how\",\"seconds\"],\"additionalProperties\":false}"));
        }

        [Test]
        public void Names_are_asked_for_again_and_an_action_without_any_is_not_offered()
        {
            Gate gate = new GameObject("gate").AddComponent<Gate>();
            gate.InReach.Clear();
            Assert.That(SpecOf(gate, "open_gate"), Is.Null);
            Assert.That(SpecOf(gate, "knock").Parameters["properties"].Fields.Single().Key, Is.EqualTo("how"), "an optional name is left out");
            gate.InReach.Add("west");
            Assert.That(SpecOf(gate, "open_gate").Parameters["properties"]["gate"]["enum"].Items.Single().Text, Is.EqualTo("west"));
        }

        [TestCase("{\"gate\":\"north\",\"how\":\"Ajar\",\"seconds\":60}", "True north Ajar 60 1 False - ")]
        [TestCase("{\"gate\":\"north\",\"how\":\"Ajar\",\"seconds\":1,\"speed\":0.5,\"loud\":true,\"word\":\"x\",\"more\":[1]}", "True north Ajar 1 0.5 True x [1]")]
        [TestCase("{\"gate\":\"east\",\"how\":\"Ajar\",\"seconds\":60}", "False open_gate: the argument 'gate' must be one of north, south, it is \"east\"")]
        [TestCase("{\"gate\":\"north\",\"how\":\"Ajar\",\"seconds\":61}", "False open_gate: the argument 'seconds' must be an integer from 1 to 60, it is 61")]
        [TestCase("{\"gate\":\"north\",\"how\":\"Ajar\",\"seconds\":1,\"speed\":0.4}", "False open_gate: the argument 'speed' must be a number from 0.5 to 2, it is 0.4")]
        public void Arguments_are_checked_again_when_they_come(string arguments, string result)
        {
            CallsheetNpc bob = Alive("bob");
            bob.gameObject.AddComponent<Gate>();
            Assert.That(Act(bob, "open_gate", arguments), Is.EqualTo(result));
        }

        [Test]
        public void Methods_of_base_classes_count_and_an_override_is_called()
        {
            CallsheetNpc bob = Alive("bob");
            bob.gameObject.AddComponent<IronGate>();
            Assert.That(bob.Actions.Find().Select(found => found.Value.Name), Is.EquivalentTo(new[] { "knock", "open_gate", "ring" }));
            Assert.That(Act(bob, "knock", "{}"), Is.EqualTo("True clang"));
        }

        [Test]
        public void Methods_below_the_npc_count_but_not_those_of_another_npc()
        {
            CallsheetNpc horse = Alive("horse");
            Below(horse.transform, "hand").gameObject.AddComponent<Bell>();
            Transform saddle = Below(horse.transform, "saddle");
            CallsheetNpc rider = Npc("rider");
            rider.transform.SetParent(saddle);
            rider.gameObject.AddComponent<Gate>();
            Assert.That(horse.Actions.Find().Select(found => found.Value.Name), Is.EqualTo(new[] { "ring" }));
            Assert.That(rider.Actions.Find().Select(found => found.Value.Name), Is.EquivalentTo(new[] { "knock", "open_gate" }));
        }

        [Test]
        public void A_second_method_of_one_name_is_told_once()
        {
            CallsheetNpc bob = Alive("bob");
            bob.gameObject.AddComponent<Bell>();
            bob.gameObject.AddComponent<Doorbell>();
            bob.Actions.Find();
            bob.Actions.Find();
            Assert.That(bob.Actions.Find().Single().Key, Is.InstanceOf<Bell>());
            Assert.That(Debug.Lines.Single(), Is.StringContaining("action ring of Doorbell: no NPC can do it where Bell has an action of that name too"));
        }

        [Test]
        public void An_action_that_nobody_carries_out_is_told_once()
        {
            CallsheetNpc bob = Alive("bob");
            Assert.That(Act(bob, "dance", "{}"), Is.StringStarting("False nothing in the game carries out dance of bob"));
            Assert.That(Act(bob, "dance", "{}", 3), Is.StringStarting("False"));
            Assert.That(Debug.Lines.Single(), Is.StringContaining("action dance: an NPC wants to do it and nobody carries it out. Give bob a method with [CallsheetAction(\"dance\")]"));
        }

        [Test]
        public void Names_that_throw_cost_their_own_action_only()
        {
            CallsheetNpc bob = Alive("bob");
            bob.gameObject.AddComponent<Broken>();
            bob.gameObject.AddComponent<Bell>();
            Assert.That(bob.Actions.Specs().Select(spec => spec.Name), Is.EqualTo(new[] { "ring" }));
            Assert.That(Debug.Lines.Single(), Is.StringContaining("no map"));
        }

        private string Act(CallsheetNpc npc, string name, string arguments, int seq = 2)
        {
            npc.Say("Do it!");
            PlayerLoop.Frame();
            Server.SendText("{\"type\":\"action\",\"seq\":" + seq + ",\"id\":" + Sent("say").Single()["id"] + ",\"reply\":1,\"action\":" + seq
                + ",\"npc\":\"bob\",\"name\":\"" + name + "\",\"arguments\":" + arguments + "}");
            PlayerLoop.Frame();
            PlayerLoop.Frame();
            JsonValue result = Sent("action_result").Single();
            return result["ok"].Boolean + " " + result["message"].Text;
        }

        private static Transform Below(Transform parent, string name)
        {
            Transform child = new GameObject(name).transform;
            child.SetParent(parent);
            return child;
        }

        private static ActionSpec SpecOf(MonoBehaviour component, string name) =>
            ActionTable.Of(component.GetType()).Single(method => method.Name == name).Spec(component);

        internal enum Opening
        {
            Wide,
            Ajar,
        }

        internal class Gate : MonoBehaviour
        {
            internal readonly List<string> InReach = new List<string> { "north", "south", "north", "" };

            [CallsheetAction("open_gate", "Opens the \"gate\".")]
            internal string Open(
                [NamesFrom(nameof(GatesInReach))] string gate,
                Opening how,
                [Within(1, 60)] int seconds,
                [Within(0.5, 2)] float speed = 1,
                bool loud = false,
                string word = "-",
                JsonValue more = null) =>
                gate + " " + how + " " + seconds + " " + speed.ToString(System.Globalization.CultureInfo.InvariantCulture) + " " + loud + " " + word + " " + more;

            [CallsheetAction("knock")]
            internal virtual string Knock([NamesFrom(nameof(GatesInReach))] string gate = null, Opening how = Opening.Ajar) => "knock";

            internal IEnumerable<string> GatesInReach() => InReach;
        }

        internal sealed class IronGate : Gate
        {
            internal override string Knock(string gate = null, Opening how = Opening.Ajar) => "clang";

            [CallsheetAction("ring")]
            internal void Ring()
            {
            }
        }

        internal sealed class Bell : MonoBehaviour
        {
            [CallsheetAction("ring")]
            internal bool Ring() => true;
        }

        internal sealed class Doorbell : MonoBehaviour
        {
            [CallsheetAction("ring")]
            internal bool Ring() => true;
        }

        internal sealed class Broken : MonoBehaviour
        {
            private static IEnumerable<string> Places => throw new InvalidOperationException("no map");

            [CallsheetAction("walk")]
            internal void Walk([NamesFrom(nameof(PlacesNow))] string place)
            {
            }

            internal static IEnumerable<string> PlacesNow => Places;
        }
    }
}
