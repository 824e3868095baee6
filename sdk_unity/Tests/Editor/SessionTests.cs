using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    public class SessionTests
    {
        private static SayMessage Say(string text = "Hello!") =>
            new SayMessage { Npc = "bob", Text = text, Speaker = new Speaker { Kind = SpeakerKind.Narrator } };

        private static ExplainMessage Explain() => new ExplainMessage { Npc = "bob" };

        [Test]
        public void Hello_is_the_first_frame_and_welcome_opens()
        {
            Rig rig = new Rig(new SessionOptions { World = "town", Token = "secret" });
            rig.Session.Start();
            rig.Step();
            Assert.That(rig.State, Is.EqualTo(SessionState.Connecting));
            rig.Server.Accept();
            rig.Step();
            JsonValue hello = rig.Sent().Single();
            Assert.That(hello["type"].Text, Is.EqualTo("hello"));
            Assert.That(hello["protocol"].Text, Is.EqualTo(ProtocolInfo.Protocol));
            Assert.That(hello["world"].Text, Is.EqualTo("town"));
            Assert.That(hello["token"].Text, Is.EqualTo("secret"));
            Assert.That(hello["resume"], Is.Null);
            rig.Server.SendText(Rig.WelcomeText());
            rig.Step();
            Assert.That(rig.State, Is.EqualTo(SessionState.Open));
            Assert.That(rig.Errors, Is.Empty);
        }

        [Test]
        public void A_server_that_is_not_there_is_one_error_and_endless_attempts()
        {
            Rig rig = new Rig();
            rig.Session.Start();
            for (int i = 0; i < 20; i++)
            {
                rig.RunToConnection();
                rig.Server.Drop(1006, "connection refused");
            }
            Assert.That(rig.Errors.Count, Is.EqualTo(1));
            Assert.That(rig.Errors[0].Code, Is.EqualTo(ErrorCode.ConnectionFailed));
            Assert.That(rig.Errors[0].Message, Contains.Substring("connection refused"));
            rig.RunToConnection();
            rig.Greet();
            Assert.That(rig.State, Is.EqualTo(SessionState.Open));
            Assert.That(rig.Session.FailuresInARow, Is.EqualTo(0));
        }

        [Test]
        public void Waits_between_attempts_double_up_to_the_limit_with_jitter()
        {
            var backoff = new Backoff(0.1, 5, 7);
            double full = 0.1;
            for (int i = 0; i < 12; i++)
            {
                Assert.That(backoff.Next(), Is.InRange(full / 2, full));
                full = Math.Min(full * 2, 5);
            }
            backoff.Reset();
            Assert.That(backoff.Next(), Is.InRange(0.05, 0.1));
        }

        [Test]
        public void A_server_that_accepts_tcp_and_never_answers_is_abandoned()
        {
            Rig rig = new Rig(new SessionOptions { ConnectTimeoutS = 2 });
            rig.Session.Start();
            rig.Step();
            rig.Run(2.2);
            Assert.That(rig.Connections[0].Aborted);
            Assert.That(rig.Errors.Single().Message, Contains.Substring("no connection within 2 s"));
        }

        [Test]
        public void A_server_that_never_welcomes_is_abandoned()
        {
            Rig rig = new Rig(new SessionOptions { ConnectTimeoutS = 2 });
            rig.Session.Start();
            rig.Step();
            rig.Server.Accept();
            rig.Run(2.2);
            Assert.That(rig.Connections[0].Aborted);
            Assert.That(rig.Errors.Single().Message, Contains.Substring("no welcome within 2 s"));
        }

        [Test]
        public void A_half_open_connection_is_given_up_after_three_heartbeats_and_resumed()
        {
            Rig rig = new Rig().Opened();
            rig.Server.DiscardsData = true;
            rig.Run(14.9);
            Assert.That(rig.State, Is.EqualTo(SessionState.Open));
            rig.Run(0.5);
            Assert.That(rig.Connections[0].Aborted);
            rig.RunToConnection();
            rig.Server.Accept();
            rig.Step();
            Assert.That(rig.Sent("hello").Single()["resume"]["token"].Text, Is.EqualTo("t1"));
        }

        [Test]
        public void Time_in_which_the_game_did_not_run_is_no_silence()
        {
            Rig rig = new Rig().Opened();
            rig.Step(3600);
            rig.Step();
            Assert.That(rig.State, Is.EqualTo(SessionState.Open));
            rig.Run(16);
            Assert.That(rig.Connections[0].Aborted);
        }

        [Test]
        public void Pings_go_out_on_time_and_pongs_set_the_clock()
        {
            Rig rig = new Rig().Opened();
            rig.Step();
            JsonValue ping = rig.Sent("ping").Single();
            double sent = ping["client_time_s"].Number;
            rig.Now = sent + 0.2;
            rig.Server.SendText("{\"type\":\"pong\",\"client_time_s\":" + sent.ToString("R") + ",\"server_time_s\":5000.1}");
            rig.Session.Tick(rig.Now);
            Assert.That(rig.Session.RoundTripS, Is.EqualTo(0.2).Within(1e-6));
            Assert.That(rig.Session.ClockOffsetS, Is.EqualTo(5000.1 - (sent + 0.1)).Within(1e-6));
            rig.Run(4);
            Assert.That(rig.Sent("ping"), Is.Empty);
            rig.Run(1.2);
            Assert.That(rig.Sent("ping").Count, Is.EqualTo(1));
        }

        [Test]
        public void Of_the_last_eight_round_trips_the_quickest_sets_the_clock()
        {
            var heartbeat = new Heartbeat();
            heartbeat.Start(0, 5);
            heartbeat.Pong(0, 0.1, 1000);
            for (int i = 1; i < 8; i++)
            {
                heartbeat.Pong(i, i + 1, 2000);
            }
            Assert.That(heartbeat.RoundTripS, Is.EqualTo(0.1).Within(1e-9));
            heartbeat.Pong(9, 9.5, 3000);
            Assert.That(heartbeat.RoundTripS, Is.EqualTo(0.5).Within(1e-9));
            Assert.That(heartbeat.ClockOffsetS, Is.EqualTo(3000 - 9.25).Within(1e-9));
        }

        [TestCase("2.0", "upgrade the Unity package")]
        [TestCase("0.9", "upgrade the server")]
        public void Another_major_version_fails_and_says_what_to_upgrade(string protocol, string advice)
        {
            Rig rig = new Rig();
            rig.Session.Start();
            rig.Step();
            rig.Greet(protocol: protocol);
            Assert.That(rig.State, Is.EqualTo(SessionState.Failed));
            Assert.That(rig.Errors.Single().Kind, Is.EqualTo(ErrorKind.Version));
            Assert.That(rig.Errors.Single().Message, Contains.Substring(advice));
            rig.Run(60);
            Assert.That(rig.Connections.Count, Is.EqualTo(1));
        }

        [Test]
        public void A_version_the_server_refuses_fails_with_the_servers_advice()
        {
            Rig rig = new Rig();
            rig.Session.Start();
            rig.Step();
            rig.Server.Accept();
            rig.Step();
            rig.Server.SendText("{\"type\":\"error\",\"code\":\"version_mismatch\",\"message\":\"upgrade the client\"}");
            rig.Server.Drop(CloseCodes.VersionMismatch);
            rig.Step();
            Assert.That(rig.State, Is.EqualTo(SessionState.Failed));
            Assert.That(rig.Errors.Single().Code, Is.EqualTo(ErrorCode.VersionMismatch));
            Assert.That(rig.Errors.Single().Message, Is.EqualTo("upgrade the client"));
        }

        [Test]
        public void A_newer_minor_version_is_nothing_to_worry_about()
        {
            Rig rig = new Rig();
            rig.Session.Start();
            rig.Step();
            rig.Greet(protocol: "1.7");
            Assert.That(rig.State, Is.EqualTo(SessionState.Open));
            Assert.That(rig.Warnings, Is.Empty);
            rig.Server.SendText("{\"type\":\"telepathy\",\"seq\":1,\"strength\":3}");
            rig.Step();
            Assert.That(rig.Errors, Is.Empty);
        }

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
            rig.Session.Request(Explain(), first);
            rig.Session.Request(Explain(), second);
            rig.Step();
            Assert.That(rig.Sent("explain").Select(m => m["id"].Integer), Is.EqualTo(new long?[] { 1, 2 }));
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":1,\"id\":1}");
            rig.Step();
            rig.Server.Drop();
            rig.Step();
            rig.Session.Request(Explain(), third);
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
            rig.Session.Request(Explain(), lost);
            rig.Step();
            rig.Server.Drop();
            rig.Step();
            var waiting = new Recorder();
            rig.Session.Request(Explain(), waiting);
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
            rig.Session.Request(Explain(), request);
            rig.Step();
            for (int i = 0; i < 8; i++)
            {
                rig.Server.Drop(1006, "refused");
                rig.RunToConnection();
            }
            Assert.That(request.Error.Code, Is.EqualTo(ErrorCode.SessionLost));
            var late = new Recorder();
            rig.Session.Request(Explain(), late);
            Assert.That(late.Error.Code, Is.EqualTo(ErrorCode.ConnectionFailed));
        }

        [Test]
        public void Requests_made_before_the_first_connection_are_sent_in_order_after_the_setup()
        {
            Rig rig = new Rig();
            rig.Session.Start();
            rig.Session.Request(Say("one"));
            rig.Session.Request(Say("two"));
            rig.Session.Opened += w => rig.Session.Request(Explain(), null, true);
            rig.Step();
            rig.Greet();
            Assert.That(
                rig.Sent().FindAll(m => m["id"] != null).Select(m => m["id"].Integer + m["type"].Text),
                Is.EqualTo(new[] { "1explain", "2say", "3say" }));
        }

        [Test]
        public void No_more_requests_are_open_than_the_server_allows()
        {
            Rig rig = new Rig();
            rig.Session.Start();
            rig.Step();
            rig.Greet(openRequests: 2);
            for (int i = 0; i < 5; i++)
            {
                rig.Session.Request(Explain());
            }
            rig.Step();
            Assert.That(rig.Sent("explain").Count, Is.EqualTo(2));
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":1,\"id\":1}");
            rig.Step();
            Assert.That(rig.Sent("explain").Count, Is.EqualTo(1));
        }

        [Test]
        public void The_message_rate_keeps_to_the_servers_limit()
        {
            Rig rig = new Rig();
            rig.Session.Start();
            rig.Step();
            rig.Greet(rate: 10);
            for (int i = 0; i < 100; i++)
            {
                rig.Session.Request(Explain());
            }
            rig.Step();
            Assert.That(rig.Sent().Count, Is.LessThanOrEqualTo(22), "a burst of 2 s, hello and one ping");
            rig.Run(1);
            Assert.That(rig.Sent().Count, Is.InRange(8, 12));
        }

        [Test]
        public void Acks_follow_what_was_handled_every_32_messages_or_every_second()
        {
            Rig rig = new Rig().Opened();
            rig.Run(1.1);
            Assert.That(rig.Sent("ack"), Is.Empty);
            for (int i = 1; i <= 32; i++)
            {
                rig.Server.SendText("{\"type\":\"ok\",\"seq\":" + i + ",\"id\":" + i + "}");
            }
            rig.Step();
            Assert.That(rig.Sent("ack").Single()["seq"].Integer, Is.EqualTo(32));
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":33,\"id\":33}");
            rig.Step();
            Assert.That(rig.Sent("ack"), Is.Empty);
            rig.Run(1.1);
            Assert.That(rig.Sent("ack").Single()["seq"].Integer, Is.EqualTo(33));
        }

        [Test]
        public void A_flood_is_handled_a_bounded_number_a_tick_and_bounded_in_memory()
        {
            Rig rig = new Rig(new SessionOptions { MaxMessagesPerTick = 100, MaxQueuedMessages = 500 }).Opened();
            for (int i = 1; i <= 5000; i++)
            {
                rig.Server.SendText("{\"type\":\"ok\",\"seq\":" + i + ",\"id\":" + i + "}");
            }
            rig.Step();
            Assert.That(rig.Received.Count, Is.EqualTo(100));
            Assert.That(rig.Session.Backlog, Is.LessThanOrEqualTo(500));
            for (int i = 0; i < 100 && rig.Received.Count < 5000; i++)
            {
                rig.Step();
            }
            Assert.That(rig.Received.Select(m => ((OkMessage)m).Id), Is.EqualTo(Enumerable.Range(1, 5000).Select(i => (long)i)));
        }

        [Test]
        public void Of_what_is_only_worth_its_latest_value_the_latest_is_kept()
        {
            Rig rig = new Rig(new SessionOptions { MaxMessagesPerTick = 1 }).Opened();
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":1,\"id\":1}");
            for (int i = 1; i <= 50; i++)
            {
                rig.Server.SendText("{\"type\":\"npc_states\",\"game_time_s\":" + i + ",\"part\":0,\"parts\":2,\"npcs\":[],\"players\":[]}");
                rig.Server.SendText("{\"type\":\"npc_states\",\"game_time_s\":" + i + ",\"part\":1,\"parts\":2,\"npcs\":[],\"players\":[]}");
                rig.Server.SendText("{\"type\":\"tick_ack\",\"tick\":" + i + ",\"game_time_s\":1}");
            }
            rig.Step();
            Assert.That(rig.Session.Backlog, Is.EqualTo(3));
            rig.Run(1);
            Assert.That(rig.Received.OfType<NpcStatesMessage>().Select(m => m.GameTimeS + "/" + m.Part), Is.EqualTo(new[] { "50/0", "50/1" }));
            Assert.That(rig.Received.OfType<TickAckMessage>().Single().Tick, Is.EqualTo(50));
        }

        [Test]
        public void Deltas_that_follow_each_other_become_one_and_their_ack_covers_all()
        {
            Rig rig = new Rig(new SessionOptions { MaxMessagesPerTick = 1 }).Opened();
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":1,\"id\":1}");
            for (int i = 2; i <= 40; i++)
            {
                rig.Server.SendText("{\"type\":\"reply_delta\",\"seq\":" + i + ",\"reply\":1,\"text\":\"x\"}");
            }
            rig.Step();
            rig.Step();
            Assert.That(rig.Received.Count, Is.EqualTo(2));
            Assert.That(((ReplyDeltaMessage)rig.Received[1]).Text, Is.EqualTo(new string('x', 39)));
            Assert.That(rig.Sent("ack").Last()["seq"].Integer, Is.EqualTo(40));
        }

        [Test]
        public void Sends_go_out_in_one_order_whatever_the_socket_does()
        {
            Rig rig = new Rig().Opened();
            rig.Step();
            rig.Sent();
            rig.Server.AcceptsData = false;
            var tick = new TickWriter();
            for (int i = 0; i < 3; i++)
            {
                rig.Session.Request(Explain());
                rig.Step();
                tick.Begin(TickKind.Keyframe, (uint)i, i, false);
                Assert.That(rig.Session.TrySendTick(tick), Is.EqualTo(i == 0), "a second tick is not queued behind the first");
            }
            rig.Server.AcceptsData = true;
            rig.Step();
            var kinds = new List<string>();
            while (rig.Server.TryTakeSent(out Frame frame))
            {
                kinds.Add(frame.Kind == FrameKind.Binary ? "tick" : Rig.Parse(frame.Data)["type"].Text);
            }
            Assert.That(kinds, Is.EqualTo(new[] { "explain", "tick", "explain", "explain" }));
        }

        [Test]
        public void A_stop_says_goodbye_and_waits_for_the_close()
        {
            Rig rig = new Rig().Opened();
            var request = new Recorder();
            rig.Session.Request(Explain(), request);
            rig.Session.Stop();
            Assert.That(request.Error.Code, Is.EqualTo(ErrorCode.SessionLost));
            Assert.That(rig.Sent().Last()["type"].Text, Is.EqualTo("bye"));
            rig.Server.Drop(1000);
            rig.Step();
            Assert.That(rig.State, Is.EqualTo(SessionState.Stopped));
            rig.Run(20);
            Assert.That(rig.Connections.Count, Is.EqualTo(1));
        }

        [Test]
        public void A_stop_does_not_wait_for_a_server_that_does_not_answer()
        {
            Rig rig = new Rig().Opened();
            rig.Session.Stop();
            rig.Run(1.2);
            Assert.That(rig.State, Is.EqualTo(SessionState.Stopped));
            Assert.That(rig.Server.Aborted);
        }

        [Test]
        public void A_stop_right_after_hello_still_says_goodbye()
        {
            Rig rig = new Rig();
            rig.Session.Start();
            rig.Step();
            rig.Server.Accept();
            rig.Step();
            rig.Session.Stop();
            Assert.That(rig.Sent().Select(m => m["type"].Text), Is.EqualTo(new[] { "hello", "bye" }));
            rig.Server.SendText(Rig.WelcomeText());
            rig.Server.Drop(1000);
            rig.Step();
            Assert.That(rig.State, Is.EqualTo(SessionState.Stopped));
            Assert.That(rig.Errors, Is.Empty);
        }

        [Test]
        public void A_stopped_session_can_be_started_again()
        {
            Rig rig = new Rig().Opened();
            rig.Session.Stop();
            rig.Server.Drop(1000);
            rig.Step();
            rig.Session.Start();
            rig.RunToConnection();
            rig.Server.Accept();
            rig.Step();
            Assert.That(rig.Sent("hello").Single()["resume"], Is.Null);
        }

        [Test]
        public void Handlers_may_stop_the_session_whenever_they_are_called()
        {
            string[] moments = { "connecting", "open", "opened", "received", "bad frame", "lost", "sent", "failed" };
            foreach (string moment in moments)
            {
                foreach (bool abort in new[] { false, true })
                {
                    Rig rig = new Rig();
                    Action stop = abort ? (Action)rig.Session.Abort : rig.Session.Stop;
                    var request = new Stopper { OnSentCall = moment == "sent" ? stop : null, OnFailedCall = moment == "failed" ? stop : null };
                    rig.Session.StateChanged += (old, state) =>
                    {
                        bool now = (moment == "connecting" && state == SessionState.Connecting)
                            || (moment == "open" && state == SessionState.Open)
                            || (moment == "lost" && state == SessionState.Waiting && old == SessionState.Open);
                        (now ? stop : () => { })();
                    };
                    rig.Session.Opened += w => (moment == "opened" ? stop : () => { })();
                    rig.Session.Received += m => (moment == "received" ? stop : () => { })();
                    rig.Session.ErrorRaised += e => (moment == "bad frame" ? stop : () => { })();
                    rig.Session.Start();
                    rig.Session.Request(Explain(), request);
                    rig.Step();
                    rig.Server.Accept();
                    rig.Step();
                    rig.Server.SendText(Rig.WelcomeText());
                    rig.Step();
                    rig.Server.SendText("nonsense");
                    rig.Server.SendText("{\"type\":\"ok\",\"seq\":1,\"id\":7}");
                    rig.Step();
                    rig.Server.Drop(CloseCodes.SlowConsumer);
                    rig.Run(4);
                    Assert.That(rig.State, Is.EqualTo(SessionState.Stopped), moment);
                    Assert.That(rig.Thrown, Is.Empty, moment);
                    Assert.That(rig.Connections.Count, Is.EqualTo(1), moment);
                }
            }
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
        public void An_abort_drops_the_connection_at_once()
        {
            Rig rig = new Rig().Opened();
            var request = new Recorder();
            rig.Session.Request(Explain(), request);
            rig.Session.Abort();
            Assert.That(rig.State, Is.EqualTo(SessionState.Stopped));
            Assert.That(rig.Server.Aborted);
            Assert.That(request.Error.Code, Is.EqualTo(ErrorCode.SessionLost));
            rig.Run(20);
            Assert.That(rig.Connections.Count, Is.EqualTo(1));
        }

        [Test]
        public void A_start_during_the_goodbye_connects_anew()
        {
            Rig rig = new Rig().Opened();
            rig.Session.Stop();
            rig.Session.Start();
            rig.RunToConnection();
            rig.Greet();
            Assert.That(rig.State, Is.EqualTo(SessionState.Open));
            Assert.That(rig.Connections[0].Aborted);
        }

        [Test]
        public void Handlers_that_throw_do_not_break_the_session()
        {
            Rig rig = new Rig();
            rig.Session.Received += m => throw new InvalidOperationException("mine");
            rig.Session.Opened += w => throw new InvalidOperationException("mine");
            rig.Session.StateChanged += (a, b) => throw new InvalidOperationException("mine");
            rig.Opened();
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":1,\"id\":1}");
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":2,\"id\":2}");
            rig.Step();
            Assert.That(rig.State, Is.EqualTo(SessionState.Open));
            Assert.That(rig.Received.Count, Is.EqualTo(2));
            Assert.That(rig.Thrown.Count, Is.GreaterThanOrEqualTo(4));
        }

        [TestCase("{\"type\":\"ok\"", ErrorCode.BadJson)]
        [TestCase("[1]", ErrorCode.BadMessage)]
        [TestCase("{\"type\":\"ok\",\"id\":0}", ErrorCode.BadMessage)]
        [TestCase("{\"type\":\"ok\",\"id\":1e999}", ErrorCode.BadMessage)]
        public void Bad_text_is_an_error_and_the_session_goes_on(string text, ErrorCode code)
        {
            Rig rig = new Rig().Opened();
            rig.Server.SendText(text);
            rig.Server.SendText("{\"type\":\"ok\",\"seq\":1,\"id\":1}");
            rig.Step();
            Assert.That(rig.Errors.Single().Code, Is.EqualTo(code));
            Assert.That(rig.Received.Count, Is.EqualTo(1));
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

        [Test]
        public void An_error_answers_its_request_with_a_typed_error()
        {
            Rig rig = new Rig().Opened();
            var request = new Recorder();
            rig.Session.Request(Explain(), request);
            rig.Step();
            rig.Server.SendText(
                "{\"type\":\"error\",\"seq\":1,\"id\":1,\"code\":\"limit_exceeded\",\"message\":\"m\",\"field\":\"f\",\"value\":\"v\",\"limit\":2,\"retry_after_s\":3}");
            rig.Server.SendText("{\"type\":\"error\",\"seq\":2,\"code\":\"from_the_future\",\"message\":\"m\"}");
            rig.Step();
            Assert.That(request.Error.Code, Is.EqualTo(ErrorCode.LimitExceeded));
            Assert.That(request.Error.Kind, Is.EqualTo(ErrorKind.World));
            Assert.That(request.Error.RetryAfterS, Is.EqualTo(3));
            Assert.That(rig.Errors[1].Code, Is.EqualTo(ErrorCode.Internal));
            Assert.That(rig.State, Is.EqualTo(SessionState.Open));
        }

        [Test]
        public void A_request_that_breaks_a_rule_throws_where_it_is_made()
        {
            Rig rig = new Rig().Opened();
            var thrown = Assert.Throws<CallsheetException>(() => rig.Session.Request(Say(new string('x', 4001))));
            Assert.That(thrown.Error.Field, Is.EqualTo("text"));
            Assert.That(thrown.Error.Limit, Is.EqualTo(4000));
            thrown = Assert.Throws<CallsheetException>(() => rig.Session.Request(new ExplainMessage { Npc = "no spaces" }));
            Assert.That(thrown.Error.Message, Contains.Substring("explain.npc"));
        }

        [TestCase("http://127.0.0.1:8765/", "default")]
        [TestCase("nonsense", "default")]
        [TestCase("ws://127.0.0.1:8765/", "two words")]
        public void Bad_options_are_refused_with_the_name_of_the_option(string url, string world)
        {
            Assert.That(() => new Session(new SessionOptions { Url = url, World = world }, () => null), Throws.ArgumentException);
        }
    }
}
