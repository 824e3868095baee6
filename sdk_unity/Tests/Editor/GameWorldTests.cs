using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    public class GameWorldTests
    {
        private Rig _rig;
        private GameWorld _world;

        [SetUp]
        public void SetUp()
        {
            _rig = new Rig();
            _world = new GameWorld(_rig.Session, new WorldOptions { TicksPerS = 20 });
        }

        [Test]
        public void Npcs_are_spawned_in_batches_that_keep_to_the_limits()
        {
            for (int i = 0; i < 2500; i++)
            {
                _world.Add(Spec("npc" + i, "short"));
            }
            _rig.Opened();
            List<JsonValue> spawns = _rig.Sent("spawn");
            Assert.That(spawns.Count, Is.GreaterThanOrEqualTo(3));
            Assert.That(spawns.Sum(s => s["npcs"].Items.Count), Is.EqualTo(2500));
            Assert.That(spawns.All(s => s["npcs"].Items.Count <= 1000));
        }

        [Test]
        public void Long_personas_make_small_batches()
        {
            for (int i = 0; i < 100; i++)
            {
                _world.Add(Spec("npc" + i, new string('\u0001', ProtocolInfo.MaxPersonaChars)));
            }
            _rig.Opened();
            int frames = 0;
            while (_rig.Server.TryTakeSent(out Frame frame))
            {
                Assert.That(frame.Data.Count, Is.LessThanOrEqualTo(1048576));
                frames++;
            }
            Assert.That(frames, Is.GreaterThan(9));
        }

        [Test]
        public void Nobody_is_named_before_the_server_gave_a_handle()
        {
            Npc bob = _world.Add(Spec("bob"));
            bob.SetMotion(1, 2, 3, 0, 0, 0);
            _rig.Opened();
            Advance();
            Assert.That(Counts(_rig.SentTicks().Single()), Is.EqualTo(new[] { 1, 0, 0 }));
            Spawned(1, "bob");
            Advance();
            byte[] tick = _rig.SentTicks().Single();
            Assert.That(Counts(tick), Is.EqualTo(new[] { 2, 1, 0 }));
            Assert.That(BitConverter.ToUInt32(tick, 32), Is.EqualTo(7));
            Assert.That(BitConverter.ToSingle(tick, 36), Is.EqualTo(1f));
        }

        [Test]
        public void A_delta_names_who_moved()
        {
            Npc bob = Alive("bob");
            Advance();
            _rig.SentTicks();
            Advance();
            Assert.That(Counts(_rig.SentTicks().Single()), Is.EqualTo(new[] { 2, 0, 0 }));
            bob.SetMotion(0.01f, 0, 0, 0, 0, 0);
            Advance();
            Assert.That(Counts(_rig.SentTicks().Single()), Is.EqualTo(new[] { 2, 0, 0 }), "less than the step");
            bob.SetMotion(0.2f, 0, 0, 0, 0, 0);
            Advance();
            Assert.That(Counts(_rig.SentTicks().Single()), Is.EqualTo(new[] { 2, 1, 0 }));
            bob.IsUnavailable = true;
            Advance();
            byte[] tick = _rig.SentTicks().Single();
            Assert.That(BitConverter.ToUInt32(tick, 64), Is.EqualTo(1));
            bob.HintNextCall(30);
            Advance();
            Assert.That(BitConverter.ToSingle(_rig.SentTicks().Single(), 60), Is.EqualTo(30f));
            _world.Tick(_rig.Now + 20, 20);
            Assert.That(Counts(_rig.SentTicks().Single()), Is.EqualTo(new[] { 1, 1, 0 }), "a keyframe is due");
        }

        [Test]
        public void An_inactive_npc_is_left_out_of_a_keyframe()
        {
            Npc bob = Alive("bob");
            Advance();
            _rig.SentTicks();
            _world.SetActive(bob, false);
            Advance();
            Assert.That(Counts(_rig.SentTicks().Single()), Is.EqualTo(new[] { 1, 0, 0 }));
        }

        [Test]
        public void After_a_resume_the_first_tick_is_a_keyframe_and_numbers_go_on()
        {
            Alive("bob");
            Advance();
            Advance();
            uint last = _rig.SentTicks().Max(t => BitConverter.ToUInt32(t, 8));
            _rig.Server.Drop();
            _rig.RunToConnection();
            _rig.Greet(true);
            Assert.That(_rig.Sent("spawn"), Is.Empty);
            Advance();
            byte[] tick = _rig.SentTicks().First();
            Assert.That(tick[3], Is.EqualTo(1));
            Assert.That(BitConverter.ToUInt32(tick, 8), Is.GreaterThan(last));
        }

        [Test]
        public void A_fresh_session_is_told_everything_again()
        {
            Npc bob = Alive("bob");
            _world.Add(new PlayerSpec { Player = "ann", Name = "Ann" });
            bob.Update(new UpdateNpcMessage { Persona = "You are rich now." });
            Advance();
            _rig.Server.Drop(CloseCodes.SlowConsumer);
            _rig.RunToConnection();
            _rig.Greet();
            JsonValue spawn = _rig.Sent("spawn").Single();
            Assert.That(spawn["npcs"].Items.Single()["persona"].Text, Is.EqualTo("You are rich now."));
            Assert.That(spawn["players"].Items.Single()["player"].Text, Is.EqualTo("ann"));
            Assert.That(bob.IsSpawned, Is.False);
        }

        [Test]
        public void What_is_said_before_the_spawn_goes_out_after_it()
        {
            _rig.Session.Start();
            Npc bob = _world.Add(Spec("bob"));
            Reply reply = bob.Say("Hello!");
            _rig.Step();
            _rig.Greet();
            Assert.That(_rig.Sent().FindAll(m => m["id"] != null).Select(m => m["type"].Text), Is.EqualTo(new[] { "spawn", "say" }));
            Assert.That(reply.State, Is.EqualTo(ReplyState.Waiting));
        }

        [Test]
        public void A_reply_streams_and_its_await_resumes_inside_the_tick()
        {
            Npc bob = Alive("bob");
            var seen = new List<string>();
            bob.ReplyStarted += r => seen.Add("start");
            bob.TextAdded += (r, added) => seen.Add(added);
            bob.ReplyCompleted += r => seen.Add("end");
            Reply reply = bob.Say("Hello!");
            string result = null;
            Await(reply, text => result = text);
            _rig.Step();
            long id = _rig.Sent("say").Single()["id"].Integer.Value;
            ReplyMessages(id, 2);
            Assert.That(result, Is.Null);
            _rig.Step();
            Assert.That(result, Is.EqualTo("Good day."));
            Assert.That(string.Concat(seen), Is.EqualTo("startGood day.end"));
            Assert.That(reply.End.FinishReason, Is.EqualTo(FinishReason.Stop));
            Assert.That(reply.Text, Is.EqualTo("Good day."));
        }

        [Test]
        public void An_await_of_a_reply_that_fails_throws_the_typed_error()
        {
            Npc bob = Alive("bob");
            Reply reply = bob.Say("Hello!");
            CallsheetException thrown = null;
            Await(reply, text => { }, e => thrown = e);
            _rig.Step();
            long id = _rig.Sent("say").Single()["id"].Integer.Value;
            _rig.Server.SendText("{\"type\":\"error\",\"seq\":2,\"id\":" + id + ",\"code\":\"engine_overloaded\",\"message\":\"later\"}");
            _rig.Step();
            Assert.That(thrown.Error.Code, Is.EqualTo(ErrorCode.EngineOverloaded));
            Assert.That(reply.State, Is.EqualTo(ReplyState.Failed));
        }

        [Test]
        public void A_reply_that_others_asked_for_is_seen_too()
        {
            Npc bob = Alive("bob");
            string text = "";
            bob.ReplyCompleted += r => text = r.Text + r.IsOwn;
            ReplyMessages(null, 2);
            _rig.Step();
            Assert.That(text, Is.EqualTo("Good day.False"));
        }

        [Test]
        public void A_cancel_before_and_after_the_send()
        {
            Npc bob = Alive("bob");
            Reply early = bob.Say("one");
            early.Cancel();
            Assert.That(early.State, Is.EqualTo(ReplyState.Ended));
            Assert.That(early.End.FinishReason, Is.EqualTo(FinishReason.Cancelled));
            Reply late = bob.Say("two");
            _rig.Step();
            late.Cancel();
            late.Cancel();
            _rig.Step();
            List<JsonValue> sent = _rig.Sent();
            Assert.That(sent.Count(m => m["type"].Text == "say"), Is.EqualTo(1));
            Assert.That(sent.Count(m => m["type"].Text == "cancel"), Is.EqualTo(1));
        }

        [Test]
        public void An_action_is_handled_once_and_its_result_is_told()
        {
            Npc bob = Alive("bob");
            NpcAction action = null;
            bob.Acted += a => action = a;
            bob.Say("Open the door!");
            _rig.Step();
            long id = _rig.Sent("say").Single()["id"].Integer.Value;
            _rig.Server.SendText(
                "{\"type\":\"action\",\"seq\":2,\"id\":" + id + ",\"reply\":1,\"action\":9,\"npc\":\"bob\",\"name\":\"open\",\"arguments\":{\"door\":\"north\",\"n\":2}}");
            _rig.Step();
            Assert.That(action.Arguments["door"].Text, Is.EqualTo("north"));
            Assert.That(action.Arguments["n"].Integer, Is.EqualTo(2));
            action.Complete(true, "creak");
            Assert.That(() => action.Complete(true), Throws.InvalidOperationException);
            _rig.Step();
            JsonValue result = _rig.Sent("action_result").Single();
            Assert.That(result["action"].Integer, Is.EqualTo(9));
            Assert.That(result["message"].Text, Is.EqualTo("creak"));
        }

        [Test]
        public void An_action_nobody_handles_is_answered_with_a_refusal()
        {
            Alive("bob").Say("Open!");
            _rig.Step();
            long id = _rig.Sent("say").Single()["id"].Integer.Value;
            _rig.Server.SendText("{\"type\":\"action\",\"seq\":2,\"id\":" + id + ",\"reply\":1,\"action\":9,\"npc\":\"bob\",\"name\":\"open\",\"arguments\":{}}");
            _rig.Step();
            _rig.Step();
            Assert.That(_rig.Sent("action_result").Single()["ok"].Boolean, Is.False);
        }

        [Test]
        public void Removing_an_npc_despawns_it_and_its_id_can_be_used_again()
        {
            Npc bob = Alive("bob");
            Assert.That(() => _world.Add(Spec("bob")), Throws.ArgumentException);
            _world.Remove(bob);
            _world.Remove(bob);
            _world.Add(Spec("bob"));
            Advance();
            _rig.Step();
            Assert.That(_rig.Sent().FindAll(m => m["id"] != null).Select(m => m["type"].Text), Is.EqualTo(new[] { "despawn", "spawn" }));
        }

        [Test]
        public void A_slow_socket_makes_fewer_ticks_and_loses_no_movement()
        {
            Npc bob = Alive("bob");
            Advance();
            _rig.SentTicks();
            _rig.Server.AcceptsData = false;
            for (int i = 1; i <= 50; i++)
            {
                bob.SetMotion(i, 0, 0, 0, 0, 0);
                Advance();
            }
            _rig.Server.AcceptsData = true;
            _rig.Step();
            Advance();
            List<byte[]> ticks = _rig.SentTicks();
            Assert.That(ticks.Count, Is.EqualTo(2));
            Assert.That(BitConverter.ToSingle(ticks[1], 36), Is.EqualTo(50f));
        }

        [TestCase(float.NaN)]
        [TestCase(float.PositiveInfinity)]
        [TestCase(2e7f)]
        public void A_place_that_the_server_would_skip_is_refused_at_once(float x)
        {
            Npc bob = _world.Add(Spec("bob"));
            Assert.That(() => bob.SetMotion(x, 0, 0, 0, 0, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        }

        private static NpcSpec Spec(string id, string persona = "") => new NpcSpec { Npc = id, Name = id, Persona = persona };

        private static async void Await(Reply reply, Action<string> done, Action<CallsheetException> failed = null)
        {
            try
            {
                done(await reply);
            }
            catch (CallsheetException e)
            {
                failed(e);
            }
        }

        /// <summary>An NPC that the server knows under handle 7; one reliable message has come.</summary>
        private Npc Alive(string id)
        {
            Npc npc = _world.Add(Spec(id));
            npc.SetMotion(0, 0, 0, 0, 0, 0);
            _rig.Opened();
            Spawned(1, id);
            _rig.Sent();
            return npc;
        }

        private void Spawned(long request, string id)
        {
            _rig.Server.SendText("{\"type\":\"spawned\",\"seq\":1,\"id\":" + request + ",\"npcs\":[{\"npc\":\"" + id + "\",\"handle\":7}],\"players\":[]}");
            _rig.Step();
        }

        private void ReplyMessages(long? id, long seq)
        {
            string own = id == null ? "" : ",\"id\":" + id;
            _rig.Server.SendText("{\"type\":\"reply_start\",\"seq\":" + seq + own + ",\"reply\":1,\"npc\":\"bob\",\"speaker\":{\"kind\":\"narrator\"},\"heard\":\"Hello!\"}");
            _rig.Server.SendText("{\"type\":\"reply_delta\",\"seq\":" + (seq + 1) + own + ",\"reply\":1,\"text\":\"Good \"}");
            _rig.Server.SendText("{\"type\":\"reply_delta\",\"seq\":" + (seq + 2) + own + ",\"reply\":1,\"text\":\"day.\"}");
            _rig.Server.SendText("{\"type\":\"reply_end\",\"seq\":" + (seq + 3) + own + ",\"reply\":1,\"npc\":\"bob\",\"text\":\"Good day.\",\"finish_reason\":\"stop\"}");
        }

        /// <summary>One frame in which a tick is due.</summary>
        private void Advance()
        {
            _rig.Step(0.1);
            _world.Tick(_rig.Now, _rig.Now);
        }

        /// <summary>Kind, NPCs and players of a tick.</summary>
        private static int[] Counts(byte[] tick) => new[] { tick[3], BitConverter.ToInt32(tick, 12), BitConverter.ToInt32(tick, 24) };
    }
}
