using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    /// <summary>Connections that break: when to reconnect, and what is sent again.</summary>
    public class ResumeTests
    {
        [TestCase(1000, false)]
        [TestCase(1001, true)]
        [TestCase(1006, true)]
        [TestCase(1009, false)]
        [TestCase(4000, false)]
        [TestCase(4001, false)]
        [TestCase(4002, false)]
        [TestCase(4004, true)]
        [TestCase(4005, false)]
        [TestCase(4006, true)]
        [TestCase(4007, false)]
        [TestCase(4008, true)]
        [TestCase(4009, false)]
        [TestCase(4010, true)]
        [TestCase(4011, true)]
        public void The_close_code_decides_whether_to_reconnect(int code, bool reconnects)
        {
            Rig rig = new Rig().Opened();
            rig.Server.Drop(code);
            rig.Run(4);
            Assert.That(rig.Connections.Count, Is.EqualTo(reconnects ? 2 : 1));
            Assert.That(rig.Errors.Count, Is.GreaterThan(0));
            if (!reconnects)
            {
                Assert.That(rig.State, Is.EqualTo(SessionState.Failed));
                return;
            }
            rig.Server.Accept();
            rig.Step();
            bool resumes = code == 1001 || code == 1006 || code == 4006 || code == 4011;
            Assert.That(rig.Sent("hello").Single()["resume"] != null, Is.EqualTo(resumes));
        }

        [TestCase(CloseCodes.Draining)]
        [TestCase(1001)]
        public void A_draining_server_is_left_alone_until_it_is_back(int code)
        {
            Rig rig = new Rig().Opened();
            rig.Server.SendText("{\"type\":\"draining\",\"deadline_s\":1.0,\"reconnect_after_s\":20.0}");
            rig.Server.Drop(code);
            rig.Run(19);
            Assert.That(rig.Connections.Count, Is.EqualTo(1));
            rig.Run(2);
            Assert.That(rig.Connections.Count, Is.EqualTo(2));
        }

        [Test]
        public void A_resume_sends_again_exactly_what_the_server_had_not_taken()
        {
            Rig rig = new Rig().Opened();
            var first = new Recorder();
            var second = new Recorder();
            var third = new Recorder();
            rig.Session.Request(Rig.Explain(), first);
            rig.Session.Request(Rig.Explain(), second);
            rig.Step();
            Assert.That(rig.Sent("explain").Select(m => m["id"].Integer), Is.EqualTo(new long?[] { 1, 2 }));
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":1,\"id\":1}");
            rig.Step();
            rig.Server.Drop();
            rig.Step();
            rig.Session.Request(Rig.Explain(), third);
            Assert.That(rig.Session.Send(new ActionResultMessage { Action = 5, Ok = true }));
            rig.RunToConnection();
            rig.Server.Accept();
            rig.Step();
            List<JsonValue> sent = rig.Sent();
            Assert.That(sent.Count, Is.EqualTo(1), "nothing but hello before the welcome");
            Assert.That(sent[0]["resume"]["last_seq"].Integer, Is.EqualTo(1));
            rig.Server.SendText(Rig.WelcomeText(true, 1, token: "t2"));
            rig.Step();
            sent = rig.Sent().FindAll(m => m["type"].Text != "ping" && m["type"].Text != "ack");
            Assert.That(sent.Select(m => m["type"].Text), Is.EqualTo(new[] { "explain", "action_result", "explain" }));
            Assert.That(sent[0]["id"].Integer, Is.EqualTo(2));
            Assert.That(sent[2]["id"].Integer, Is.EqualTo(3));
            Assert.That(first.Messages.Count, Is.EqualTo(1));
            Assert.That(second.Error, Is.Null);
        }

        [Test]
        public void What_is_replayed_twice_is_handled_once()
        {
            Rig rig = new Rig().Opened();
            rig.Server.SendText("{\"type\":\"reply_delta\",\"seq\":1,\"reply\":1,\"text\":\"a\"}");
            rig.Server.SendText("{\"type\":\"reply_delta\",\"seq\":2,\"reply\":2,\"text\":\"b\"}");
            rig.Step();
            rig.Server.Drop();
            rig.RunToConnection();
            rig.Greet(true);
            rig.Server.SendText("{\"type\":\"reply_delta\",\"seq\":2,\"reply\":2,\"text\":\"b\"}");
            rig.Server.SendText("{\"type\":\"reply_delta\",\"seq\":3,\"reply\":3,\"text\":\"c\"}");
            rig.Step();
            Assert.That(rig.Received.Cast<ReplyDeltaMessage>().Select(m => m.Text), Is.EqualTo(new[] { "a", "b", "c" }));
        }

        [Test]
        public void A_hole_in_the_sequence_is_filled_by_a_resume()
        {
            Rig rig = new Rig().Opened();
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":1,\"id\":1}");
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":3,\"id\":3}");
            rig.Step();
            Assert.That(rig.Connections[0].Aborted);
            rig.RunToConnection();
            rig.Server.Accept();
            rig.Step();
            Assert.That(rig.Sent("hello").Single()["resume"]["last_seq"].Integer, Is.EqualTo(1));
            rig.Server.SendText(Rig.WelcomeText(true));
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":3,\"id\":3}");
            rig.Step();
            rig.RunToConnection();
            rig.Server.Accept();
            rig.Step();
            Assert.That(rig.Sent("hello").Single()["resume"], Is.Null, "the replay had the hole too: start anew");
        }

        [Test]
        public void Requests_of_a_session_that_is_gone_fail_and_later_ones_are_sent()
        {
            Rig rig = new Rig().Opened();
            var lost = new Recorder();
            rig.Session.Request(Rig.Explain(), lost);
            rig.Step();
            rig.Server.Drop();
            rig.Step();
            var waiting = new Recorder();
            rig.Session.Request(Rig.Explain(), waiting);
            rig.RunToConnection();
            rig.Greet(false);
            Assert.That(lost.Error.Code, Is.EqualTo(ErrorCode.SessionLost));
            Assert.That(waiting.Error, Is.Null);
            Assert.That(rig.Sent("explain").Count, Is.EqualTo(1));
        }

        [Test]
        public void When_the_grace_is_over_requests_fail_instead_of_waiting()
        {
            Rig rig = new Rig();
            rig.Session.Start();
            rig.Step();
            rig.Greet(grace: 3);
            var request = new Recorder();
            rig.Session.Request(Rig.Explain(), request);
            rig.Step();
            for (int i = 0; i < 8; i++)
            {
                rig.Server.Drop(1006, "refused");
                rig.RunToConnection();
            }
            Assert.That(request.Error.Code, Is.EqualTo(ErrorCode.SessionLost));
            var late = new Recorder();
            rig.Session.Request(Rig.Explain(), late);
            Assert.That(late.Error.Code, Is.EqualTo(ErrorCode.ConnectionFailed));
        }

        [Test]
        public void A_connection_that_breaks_right_after_the_welcome_leaves_a_session_to_resume()
        {
            Rig rig = new Rig();
            int fresh = 0;
            rig.Session.Opened += w => fresh += w.Resumed ? 0 : 1;
            rig.Session.Start();
            rig.Step();
            rig.Server.Accept();
            rig.Step();
            rig.Server.SendText(Rig.WelcomeText());
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":1,\"id\":1}");
            rig.Server.Drop();
            rig.Step();
            Assert.That(fresh, Is.EqualTo(1));
            rig.RunToConnection();
            rig.Server.Accept();
            rig.Step();
            Assert.That(rig.Sent("hello").Single()["resume"]["last_seq"].Integer, Is.EqualTo(1));
        }

        [Test]
        public void A_broken_message_with_a_number_leaves_no_hole()
        {
            Rig rig = new Rig().Opened();
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":1,\"id\":\"one\"}");
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":2,\"id\":1}");
            rig.Step();
            Assert.That(rig.Errors.Single().Field, Is.EqualTo("id"));
            Assert.That(rig.State, Is.EqualTo(SessionState.Open));
            Assert.That(rig.Received.Count, Is.EqualTo(1));
        }
    }
}
