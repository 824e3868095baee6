using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>The game's say in whether an action may be done now.</summary>
    public class JudgeTests : PlayingFixture
    {
        [Test]
        public void An_action_that_the_game_refuses_is_not_begun_and_the_npc_is_told_why()
        {
            Bell bell = Ringer(out CallsheetNpc bob);
            bob.Judge = action => action.Name == "ring" ? "the bell is cracked" : null;
            Assert.That(Act(bob), Is.EqualTo("False the bell is cracked"));
            Assert.That(bell.Rung, Is.EqualTo(0));
        }

        [TestCase(null)]
        [TestCase("")]
        public void Without_a_reason_the_action_is_carried_out(string reason)
        {
            Bell bell = Ringer(out CallsheetNpc bob);
            NpcAction judged = null;
            bob.Judge = action =>
            {
                judged = action;
                return reason;
            };
            Assert.That(Act(bob), Is.EqualTo("True "));
            Assert.That(bell.Rung, Is.EqualTo(1));
            Assert.That(judged.Npc, Is.SameAs(bob.Npc));
        }

        [Test]
        public void Listeners_do_not_hear_of_an_action_that_is_refused()
        {
            CallsheetNpc bob = Alive("bob");
            var heard = new List<string>();
            bob.Acted += action => heard.Add(action.Name);
            bob.Judge = action => "not now";
            Assert.That(Act(bob), Is.EqualTo("False not now"));
            Assert.That(heard, Is.Empty);
        }

        [Test]
        public void A_judge_or_a_listener_that_throws_fails_the_action()
        {
            Ringer(out CallsheetNpc bob);
            bob.Judge = action => throw new InvalidOperationException("no rules yet");
            Assert.That(Act(bob), Is.EqualTo("False ring: no rules yet"));
            bob.Judge = null;
            bob.Acted += action => throw new InvalidOperationException("no hands");
            Assert.That(Act(bob, "clap", 3), Is.EqualTo("False clap: no hands"));
            Assert.That(Debug.Lines.Count(line => line.StartsWith("Exception: System.InvalidOperationException")), Is.EqualTo(2));
        }

        private Bell Ringer(out CallsheetNpc bob)
        {
            bob = Alive("bob");
            return bob.gameObject.AddComponent<Bell>();
        }

        private string Act(CallsheetNpc npc, string name = "ring", int seq = 2)
        {
            npc.Say("Do it!");
            PlayerLoop.Frame();
            Server.SendText("{\"type\":\"action\",\"seq\":" + seq + ",\"id\":" + Sent("say").Single()["id"] + ",\"reply\":1,\"action\":" + seq
                + ",\"npc\":\"bob\",\"name\":\"" + name + "\",\"arguments\":{}}");
            PlayerLoop.Frame();
            return Sent("action_result").Select(r => r["ok"].Boolean + " " + r["message"].Text).Single();
        }

        internal sealed class Bell : MonoBehaviour
        {
            internal int Rung { get; private set; }

            [CallsheetAction("ring")]
            internal void Ring() => Rung++;
        }
    }
}
