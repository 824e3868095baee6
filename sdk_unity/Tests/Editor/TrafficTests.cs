using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    /// <summary>Order, rates and bounds of what goes out and comes in.</summary>
    public class TrafficTests
    {
        [Test]
        public void Requests_made_before_the_first_connection_are_sent_in_order_after_the_setup()
        {
            Rig rig = new Rig();
            rig.Session.Start();
            rig.Session.Request(Rig.Say("one"));
            rig.Session.Request(Rig.Say("two"));
            rig.Session.Opened += w => rig.Session.Request(Rig.Explain(), null, true);
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
                rig.Session.Request(Rig.Explain());
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
                rig.Session.Request(Rig.Explain());
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
                rig.Session.Request(Rig.Explain());
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
    }
}
