using System;
using System.Collections.Generic;
using System.Collections;
using System.Linq;
using System.Threading.Tasks;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>[CallsheetAction] methods: how they are called, and what the server is told became of them.</summary>
    public class ActionTests : PlayingFixture
    {
        [Test]
        public void Actions_call_methods_with_arguments_that_fit()
        {
            CallsheetNpc bob = Alive("bob");
            Doer doer = bob.gameObject.AddComponent<Doer>();
            int acted = 0;
            bob.Acted += a =>
            {
                acted++;
                a.Complete(true, "by event");
            };
            bob.Say("Do it all!");
            PlayerLoop.Frame();
            long id = Sent("say").Single()["id"].Integer.Value;
            string[] actions =
            {
                "open\",\"arguments\":{\"door\":\"north\",\"times\":2,\"speed\":1.5,\"how\":\"Softly\"}",
                "open\",\"arguments\":{\"door\":\"north\"}",
                "open\",\"arguments\":{}",
                "open\",\"arguments\":{\"door\":5}",
                "open\",\"arguments\":{\"door\":\"n\",\"times\":1.5}",
                "open\",\"arguments\":{\"door\":\"n\",\"how\":\"Rudely\"}",
                "open\",\"arguments\":{\"door\":\"n\",\"window\":1}",
                "Refuse\",\"arguments\":{}",
                "Explain\",\"arguments\":{\"what\":{\"a\":[1]}}",
                "Break\",\"arguments\":{}",
                "dance\",\"arguments\":{}",
            };
            for (int i = 0; i < actions.Length; i++)
            {
                Server.SendText("{\"type\":\"action\",\"seq\":" + (i + 2) + ",\"id\":" + id + ",\"reply\":1,\"action\":" + (i + 1) + ",\"npc\":\"bob\",\"name\":\"" + actions[i] + "}");
            }
            Frames(0.1);
            string[] results = Sent("action_result").Select(r => r["ok"].Boolean + " " + r["message"].Text).ToArray();
            Assert.That(results, Is.EqualTo(new[]
            {
                "True ",
                "True ",
                "False open: the argument 'door' is missing",
                "False open: the argument 'door' must be a string, it is 5",
                "False open: the argument 'times' must be an integer, it is 1.5",
                "False open: the argument 'how' must be one of Softly, Loudly, it is \"Rudely\"",
                "False open: there is no parameter 'window'",
                "False ",
                "True {\"a\":[1]}",
                "False Break: broken",
                "True by event",
            }));
            Assert.That(doer.Done, Is.EqualTo(new[] { "north 2 1.5 Softly", "north 1 1 Loudly" }));
            Assert.That(acted, Is.EqualTo(1));
            Assert.That(Debug.Lines.Single(), Is.StringContaining("broken"));
        }

        [Test]
        public void A_coroutine_is_run_and_its_end_is_the_end_of_the_action()
        {
            Walker walker = Begin("walk_to\",\"arguments\":{\"place\":\"well\"}");
            Assert.That(Results(), Is.Empty, "it is on its way");
            Frames(1);
            Assert.That(Results(), Is.Empty);
            Frames(1.2);
            Assert.That(Results(), Is.EqualTo(new[] { "True " }));
            Assert.That(walker.Done, Is.EqualTo(new[] { "to well", "one step", "there" }));
        }

        [TestCase("fetch", "True ")]
        [TestCase("look", "False ")]
        [TestCase("ask", "True it is raining")]
        public void A_task_is_awaited_on_the_main_thread(string name, string result)
        {
            Walker walker = Begin(name + "\",\"arguments\":{}");
            Frames(0.1);
            Assert.That(Results(), Is.Empty);
            // As from a thread of the pool: what follows is for the main thread alone.
            System.Threading.Tasks.Task.Run(() => walker.Finish()).Wait();
            Assert.That(Results(), Is.Empty);
            PlayerLoop.Frame();
            PlayerLoop.Frame();
            Assert.That(Results(), Is.EqualTo(new[] { result }));
        }

        [TestCase("stumble", "False stumble: over a root")]
        [TestCase("stumble_deep", "False stumble_deep: over a root")]
        [TestCase("lose", "False lose: the key is gone")]
        [TestCase("give_up", "False give_up: ")]
        public void An_exception_fails_the_action_with_its_message(string name, string result)
        {
            Walker walker = Begin(name + "\",\"arguments\":{}");
            walker.Finish();
            Frames(0.2);
            Assert.That(Results().Single(), Is.StringStarting(result));
            Assert.That(Debug.Lines.Single(), Is.StringStarting("Exception: "));
        }

        [Test]
        public void An_action_can_be_handed_to_its_method_and_completed_later()
        {
            Walker walker = Begin("wait\",\"arguments\":{\"why\":\"rain\"}");
            Frames(1);
            Assert.That(Results(), Is.Empty);
            walker.Given.Complete(false, "no more " + walker.Done.Single());
            PlayerLoop.Frame();
            Assert.That(Results(), Is.EqualTo(new[] { "False no more rain" }));
        }

        [TestCase(true)]
        [TestCase(false)]
        public void An_action_under_way_fails_when_its_npc_is_disabled(bool whole)
        {
            Walker walker = Begin("walk_to\",\"arguments\":{\"place\":\"well\"}");
            if (whole)
            {
                walker.gameObject.SetActive(false);
            }
            else
            {
                walker.GetComponent<CallsheetNpc>().enabled = false;
            }
            Frames(3);
            Assert.That(Results(), Is.EqualTo(new[] { "False walk_to: bob was disabled before it was done" }));
            Assert.That(Debug.Lines, Is.Empty);
        }

        [Test]
        public void An_inactive_object_refuses_what_takes_time()
        {
            CallsheetNpc bob = Alive("bob");
            bob.gameObject.AddComponent<Walker>();
            bob.gameObject.SetActive(false);
            Act(bob, "walk_to\",\"arguments\":{\"place\":\"well\"}");
            Frames(0.1);
            Assert.That(Results(), Is.EqualTo(new[] { "False walk_to: bob is inactive" }));
            Assert.That(Debug.Lines, Is.Empty);
        }

        [Test]
        public void A_listener_added_in_code_counts_until_it_is_removed()
        {
            CallsheetNpc bob = Alive("bob");
            NpcAction heard = null;
            UnityEngine.Events.UnityAction<NpcAction> listener = action => heard = action;
            bob.Events.acted.AddListener(listener);
            Act(bob, "dance\",\"arguments\":{}");
            Frames(0.1);
            Assert.That(Results(), Is.Empty);
            heard.Complete(true, "danced");
            PlayerLoop.Frame();
            Assert.That(Results(), Is.EqualTo(new[] { "True danced" }));
            bob.Events.acted.RemoveListener(listener);
            Assert.That(bob.Events.acted.HasListeners, Is.False);
            bob.Events.acted.AddListener(listener);
            bob.Events.acted.RemoveAllListeners();
            Assert.That(bob.Events.acted.HasListeners, Is.False);
        }

        private Walker Begin(string action)
        {
            CallsheetNpc bob = Alive("bob");
            Walker walker = bob.gameObject.AddComponent<Walker>();
            Act(bob, action);
            return walker;
        }

        private void Act(CallsheetNpc npc, string action)
        {
            npc.Say("Do it!");
            PlayerLoop.Frame();
            Server.SendText("{\"type\":\"action\",\"seq\":2,\"id\":" + Sent("say").Single()["id"] + ",\"reply\":1,\"action\":1,\"npc\":\"bob\",\"name\":\"" + action + "}");
            PlayerLoop.Frame();
        }

        private string[] Results() => Sent("action_result").Select(r => r["ok"].Boolean + " " + r["message"].Text).ToArray();

        internal sealed class Walker : MonoBehaviour
        {
            internal readonly List<string> Done = new List<string>();
            private readonly TaskCompletionSource<string> _finished = new TaskCompletionSource<string>();

            internal NpcAction Given { get; private set; }

            internal void Finish() => _finished.SetResult("it is raining");

            [CallsheetAction("walk_to")]
            internal IEnumerator WalkTo(string place)
            {
                Done.Add("to " + place);
                yield return Step();
                yield return null;
                Done.Add("there");
            }

            private IEnumerator Step()
            {
                yield return new WaitForSeconds(2);
                Done.Add("one step");
            }

            [CallsheetAction("fetch")]
            internal async Task Fetch() => await _finished.Task;

            [CallsheetAction("look")]
            internal async Task<bool> Look()
            {
                await _finished.Task;
                return false;
            }

            [CallsheetAction("ask")]
            internal Task<string> Ask() => _finished.Task;

            [CallsheetAction("stumble")]
            internal IEnumerator Stumble()
            {
                yield return null;
                throw new InvalidOperationException("over a root");
            }

            [CallsheetAction("stumble_deep")]
            internal IEnumerator StumbleDeep()
            {
                yield return Stumble();
            }

            [CallsheetAction("lose")]
            internal async Task Lose()
            {
                await _finished.Task;
                throw new InvalidOperationException("the key is gone");
            }

            [CallsheetAction("give_up")]
            internal Task GiveUp()
            {
                var given = new TaskCompletionSource<int>();
                given.SetCanceled();
                return given.Task;
            }

            [CallsheetAction("wait")]
            internal void Wait(string why, NpcAction action)
            {
                Done.Add(why);
                Given = action;
            }
        }

        internal sealed class Doer : MonoBehaviour
        {
            internal readonly List<string> Done = new List<string>();

            internal enum Manner
            {
                Softly,
                Loudly,
            }

            [CallsheetAction("open")]
            internal void OpenDoor(string door, int times = 1, float speed = 1, Manner how = Manner.Loudly) =>
                Done.Add(door + " " + times + " " + speed.ToString(System.Globalization.CultureInfo.InvariantCulture) + " " + how);

            [CallsheetAction]
            internal bool Refuse() => false;

            [CallsheetAction]
            internal string Explain(JsonValue what) => what.ToString();

            [CallsheetAction]
            internal void Break() => throw new InvalidOperationException("broken");
        }
    }
}
