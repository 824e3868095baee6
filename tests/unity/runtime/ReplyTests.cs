using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>What is said to NPCs, and how the answers come in.</summary>
    public class ReplyTests : PlayingFixture
    {
        [Test]
        public void A_reply_reaches_events_unity_events_callbacks_and_awaits()
        {
            CallsheetNpc bob = Alive("bob");
            var seen = new List<string>();
            bob.ReplyStarted += r => seen.Add("started");
            bob.TextAdded += (r, added) => seen.Add("+" + added);
            bob.ReplyCompleted += r => seen.Add("completed");
            bob.Events.replyStarted.AddListener(() => seen.Add("unity started"));
            bob.Events.textChanged.AddListener(text => seen.Add("unity " + text));
            bob.Events.replyEnded.AddListener(text => seen.Add("unity ended " + text));
            bob.Say("Hello!", text => seen.Add("callback " + text));
            Answer();
            Assert.That(seen, Is.EqualTo(new[]
            {
                "started", "unity started", "+Good ", "unity Good ", "+day.", "unity Good day.",
                "callback Good day.", "completed", "unity ended Good day.",
            }));
        }

        [Test]
        public void A_coroutine_can_yield_a_reply()
        {
            CallsheetNpc bob = Alive("bob");
            string text = null;
            bob.StartCoroutine(Ask(bob, answer => text = answer));
            Assert.That(text, Is.Null);
            Answer();
            PlayerLoop.Frame();
            Assert.That(text, Is.EqualTo("Good day."));
        }

        [Test]
        public void A_token_cancels_a_reply_on_the_main_thread()
        {
            CallsheetNpc bob = Alive("bob");
            var source = new CancellationTokenSource();
            bob.Say("Tell me everything.", source.Token);
            Frames(0.1);
            Assert.That(Sent("cancel"), Is.Empty);
            // On a thread of the pool, as timers do.
            System.Threading.Tasks.Task.Run(() => source.Cancel()).Wait();
            Assert.That(Sent("cancel"), Is.Empty);
            Frames(0.1);
            Assert.That(Sent("cancel").Count, Is.EqualTo(1));
            Reply never = bob.Say("Anything else?", source.Token);
            Frames(0.1);
            Assert.That(never.End.FinishReason, Is.EqualTo(FinishReason.Cancelled));
            Assert.That(Sent("say"), Is.Empty);
        }

        [Test]
        public void An_await_resumes_on_the_main_thread_inside_a_frame()
        {
            CallsheetNpc bob = Alive("bob");
            int thread = 0;
            Await(bob, () => thread = System.Threading.Thread.CurrentThread.ManagedThreadId);
            Answer();
            Assert.That(thread, Is.EqualTo(System.Threading.Thread.CurrentThread.ManagedThreadId));
        }

        [Test]
        public void The_local_player_speaks_or_else_a_narrator()
        {
            CallsheetNpc bob = Alive("bob");
            bob.Say("Thunder rolls.");
            PlayerLoop.Frame();
            Assert.That(Sent("say").Single()["speaker"]["kind"].Text, Is.EqualTo("narrator"));
            CallsheetPlayer ann = new GameObject("Ann").AddComponent<CallsheetPlayer>();
            bob.Say("Hello!");
            bob.Say("Hello!", ann);
            PlayerLoop.Frame();
            PlayerLoop.Frame();
            List<JsonValue> sent = Sent();
            Assert.That(sent.Count(m => m["type"].Text == "spawn"), Is.EqualTo(1));
            Assert.That(sent.FindAll(m => m["type"].Text == "say").Select(m => m["speaker"]["id"].Text), Is.EqualTo(new[] { "Ann", "Ann" }));
            Assert.That(sent.FindIndex(m => m["type"].Text == "spawn"), Is.LessThan(sent.FindIndex(m => m["type"].Text == "say")));
        }

        [Test]
        public void A_handler_that_throws_is_logged_and_the_game_goes_on()
        {
            CallsheetNpc bob = Alive("bob");
            bob.TextAdded += (r, added) => throw new InvalidOperationException("mine");
            string result = null;
            bob.Say("Hello!", text => result = text);
            Answer();
            Assert.That(result, Is.EqualTo("Good day."));
            Assert.That(Debug.Lines.All(line => line.StartsWith("Exception: System.InvalidOperationException: mine")), string.Join("\n", Debug.Lines));
        }

        private static IEnumerator Ask(CallsheetNpc npc, Action<string> done)
        {
            Reply reply = npc.Say("Hello!");
            yield return reply;
            done(reply.Text);
        }
    }
}
