using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    /// <summary>Spawns and despawns that the server refuses whole: who is told, who is sent again.</summary>
    public class SpawnTests
    {
        private Rig _rig;
        private GameWorld _world;
        private Dictionary<string, CallsheetError> _told;
        private long _seq;

        [SetUp]
        public void SetUp()
        {
            _rig = new Rig();
            _world = new GameWorld(_rig.Session, new WorldOptions { TicksPerS = 20 });
            _told = new Dictionary<string, CallsheetError>();
            _seq = 0;
        }

        [Test]
        public void One_bad_spec_is_told_alone_and_its_batch_mates_are_spawned()
        {
            Npc[] npcs = Add("ann", "bad", "eve");
            _rig.Opened();
            Refuse(NextSpawn("ann", "bad", "eve"), "unknown_adapter", "npcs.1.adapter", "\"typo\"");
            Spawned(NextSpawn("ann", "eve"));
            Assert.That(npcs.Select(n => n.IsSpawned), Is.EqualTo(new[] { true, false, true }));
            Assert.That(_told.Keys, Is.EqualTo(new[] { "bad" }));
            CallsheetError why = npcs[1].Refusal;
            Assert.That(why, Is.SameAs(_told["bad"]));
            Assert.That(new[] { why.Code.ToString(), why.Field, why.Value, why.Message }, Is.EqualTo(new[] { "UnknownAdapter", "adapter", "\"typo\"", "no" }));
            Frames();
            Assert.That(_rig.Sent("spawn"), Is.Empty, "a refused NPC is not tried again by itself");
        }

        [Test]
        public void An_npc_that_was_refused_is_never_despawned()
        {
            Npc[] npcs = Add("bob", "bad");
            _rig.Opened();
            Refuse(NextSpawn("bob", "bad"), "unknown_adapter", "npcs.1.adapter");
            Spawned(NextSpawn("bob"));
            _world.Remove(npcs[1]);
            _world.Remove(npcs[0]);
            Frames();
            Assert.That(Names(_rig.Sent("despawn").Single()["npcs"]), Is.EqualTo(new[] { "bob" }));
        }

        [Test]
        public void Everybody_with_an_unknown_adapter_is_found_at_once()
        {
            for (int i = 0; i < 300; i++)
            {
                Add(new NpcSpec { Npc = "npc" + i, Name = "n", Adapter = i % 3 == 0 ? "typo" : null });
            }
            _rig.Opened();
            Refuse(NextSpawn(), "unknown_adapter", "npcs.0.adapter", "\"typo\"");
            JsonValue again = NextSpawn();
            Assert.That(again["npcs"].Items.Count, Is.EqualTo(200));
            Assert.That(again["npcs"].Items.All(spec => spec["adapter"] == null));
            Assert.That(_told.Count, Is.EqualTo(100));
        }

        [Test]
        public void In_a_world_that_is_full_only_the_surplus_is_refused()
        {
            Npc[] npcs = Add("a", "b", "c", "d", "e");
            _world.Add(new PlayerSpec { Player = "you", Name = "You" });
            _rig.Opened();
            Refuse(NextSpawn("a", "b", "c", "d", "e"), "limit_exceeded", "npcs", "103", 100);
            JsonValue again = NextSpawn("a", "b");
            Assert.That(again["players"].Items.Single()["player"].Text, Is.EqualTo("you"));
            Assert.That(_told.Keys, Is.EqualTo(new[] { "c", "d", "e" }));
            Assert.That(npcs[4].Refusal.Limit, Is.EqualTo(100));
        }

        [TestCase("storage_failed", null)]
        [TestCase("limit_exceeded", "npcs")]
        [TestCase("bad_message", "npcs.7.name")]
        [TestCase("bad_message", "npcs.x")]
        public void An_error_that_names_nobody_is_told_to_everybody(string code, string field)
        {
            Add("a", "b");
            _rig.Opened();
            Refuse(NextSpawn("a", "b"), code, field);
            Frames();
            Assert.That(_told.Keys, Is.EqualTo(new[] { "a", "b" }));
            Assert.That(_rig.Sent("spawn"), Is.Empty);
        }

        [Test]
        public void A_player_that_is_refused_is_told_and_the_npcs_are_spawned()
        {
            Add("bob");
            Player you = _world.Add(new PlayerSpec { Player = "you", Name = "You" });
            CallsheetError why = null;
            you.Refused += e => why = e;
            _rig.Opened();
            Refuse(NextSpawn("bob"), "duplicate_player", "players.0.player", "\"you\"");
            Assert.That(NextSpawn("bob")["players"], Is.Null.Or.Property("Items").Empty);
            Assert.That(why.Code, Is.EqualTo(ErrorCode.DuplicatePlayer));
            _world.Remove(you);
            Frames();
            Assert.That(_rig.Sent("despawn"), Is.Empty);
        }

        [Test]
        public void Who_is_removed_while_its_spawn_is_on_the_way_is_despawned_once_it_is_there()
        {
            Npc[] npcs = Add("ann", "bob");
            _rig.Opened();
            JsonValue spawn = NextSpawn("ann", "bob");
            _world.Remove(npcs[1]);
            Frames();
            Assert.That(_rig.Sent("despawn"), Is.Empty);
            Spawned(spawn);
            Frames();
            Assert.That(Names(_rig.Sent("despawn").Single()["npcs"]), Is.EqualTo(new[] { "bob" }));
            Assert.That(npcs[1].IsSpawned, Is.False);
        }

        [Test]
        public void Who_is_removed_while_a_spawn_that_is_refused_is_on_the_way_is_neither_sent_again_nor_despawned()
        {
            Npc[] npcs = Add("ann", "bob", "bad");
            _rig.Opened();
            JsonValue spawn = NextSpawn("ann", "bob", "bad");
            _world.Remove(npcs[1]);
            _world.Remove(npcs[2]);
            Refuse(spawn, "unknown_adapter", "npcs.2.adapter");
            Spawned(NextSpawn("ann"));
            Frames();
            Assert.That(_rig.Sent("despawn"), Is.Empty);
            Assert.That(_told, Is.Empty, "it is gone: there is nobody to tell");
        }

        [Test]
        public void An_id_is_used_again_only_when_its_first_bearer_is_gone()
        {
            Npc[] first = Add("bob");
            _rig.Opened();
            JsonValue spawn = NextSpawn("bob");
            _world.Remove(first[0]);
            Npc second = Add("bob")[0];
            Frames();
            Assert.That(_rig.Sent("spawn"), Is.Empty);
            Spawned(spawn);
            Frames();
            List<JsonValue> sent = _rig.Sent().FindAll(m => m["id"] != null);
            Assert.That(sent.Select(m => m["type"].Text), Is.EqualTo(new[] { "despawn", "spawn" }));
            Spawned(sent[1]);
            Assert.That(first[0].IsSpawned, Is.False);
            Assert.That(second.IsSpawned);
        }

        [Test]
        public void A_refused_npc_is_tried_again_when_it_is_updated()
        {
            Npc bad = Add(new NpcSpec { Npc = "bad", Name = "b", Adapter = "typo" });
            _rig.Opened();
            Refuse(NextSpawn("bad"), "unknown_adapter", "npcs.0.adapter");
            bad.Update(new UpdateNpcMessage { Adapter = "" });
            Frames();
            JsonValue again = _rig.Sent().Single(m => m["id"] != null);
            Assert.That(again["npcs"].Items.Single()["adapter"], Is.Null);
            Spawned(again);
            Assert.That(bad.IsSpawned);
            Assert.That(bad.Refusal, Is.Null);
        }

        [Test]
        public void An_update_that_the_protocol_does_not_allow_is_refused_at_once_and_changes_nothing()
        {
            Npc bob = Add("bob")[0];
            Assert.That(() => bob.Update(new UpdateNpcMessage { Sociability = 7 }), Throws.InstanceOf<CallsheetException>());
            _rig.Opened();
            Assert.That(NextSpawn("bob")["npcs"].Items.Single()["sociability"].Number, Is.EqualTo(0));
        }

        [Test]
        public void What_is_said_meanwhile_is_said_again_or_fails_with_the_refusal()
        {
            Npc[] npcs = Add("ann", "bad");
            Reply toBad = null, toAnn = null;
            _rig.Session.Opened += w =>
            {
                toAnn = npcs[0].Say("Hello!");
                toBad = npcs[1].Say("Hello!");
            };
            _rig.Opened();
            List<JsonValue> sent = _rig.Sent().FindAll(m => m["id"] != null);
            Assert.That(sent.Select(m => m["type"].Text), Is.EqualTo(new[] { "spawn", "say", "say" }));
            Refuse(sent[0], "unknown_adapter", "npcs.1.adapter");
            Refuse(sent[1], "unknown_npc", "npc");
            Refuse(sent[2], "unknown_npc", "npc");
            sent = _rig.Sent().FindAll(m => m["id"] != null);
            Assert.That(sent.Select(m => m["type"].Text), Is.EqualTo(new[] { "spawn", "say" }));
            Assert.That(toAnn.State, Is.EqualTo(ReplyState.Waiting));
            Assert.That(toBad.Error.Code, Is.EqualTo(ErrorCode.UnknownAdapter));
            Assert.That(npcs[1].Say("Hello?").Error.Code, Is.EqualTo(ErrorCode.UnknownAdapter));
            Spawned(sent[0]);
            Refuse(sent[1], "unknown_npc", "npc");
            Assert.That(toAnn.Error.Code, Is.EqualTo(ErrorCode.UnknownNpc), "it is there: the answer is final");
        }

        [Test]
        public void After_a_resume_what_was_on_the_way_is_settled_as_before()
        {
            Npc[] npcs = Add("ann", "bob", "bad");
            _rig.Opened();
            JsonValue spawn = NextSpawn("ann", "bob", "bad");
            _rig.Server.Drop();
            _rig.Step();
            _world.Remove(npcs[1]);
            _rig.RunToConnection();
            _rig.Greet(true, spawn["id"].Integer.Value);
            Assert.That(_rig.Sent("spawn"), Is.Empty);
            Refuse(spawn, "unknown_adapter", "npcs.2.adapter");
            Spawned(NextSpawn("ann"));
            _world.Remove(npcs[0]);
            _world.Remove(npcs[2]);
            Frames();
            Assert.That(Names(_rig.Sent("despawn").Single()["npcs"]), Is.EqualTo(new[] { "ann" }));
        }

        [Test]
        public void In_a_new_session_everybody_is_tried_again_and_nobody_despawned()
        {
            Npc[] npcs = Add("ann", "bob", "bad", "eve");
            _rig.Opened();
            Refuse(NextSpawn("ann", "bob", "bad", "eve"), "unknown_adapter", "npcs.2.adapter");
            Spawned(NextSpawn("ann", "bob", "eve"));
            Add("zoe");
            Frames();
            NextSpawn("zoe");
            _world.Remove(npcs[1]);
            _rig.Server.Drop(CloseCodes.SlowConsumer);
            _rig.Step();
            _world.Remove(npcs[3]);
            _rig.RunToConnection();
            _rig.Greet();
            List<JsonValue> sent = _rig.Sent().FindAll(m => m["id"] != null);
            Assert.That(Names(sent.Single()), Is.EqualTo(new[] { "ann", "bad", "zoe" }));
            Assert.That(npcs[2].Refusal, Is.Null);
            Assert.That(_told.Keys, Is.EqualTo(new[] { "bad" }), "a lost session is no refusal");
        }

        [Test]
        public void One_spec_object_can_describe_many()
        {
            var spec = new NpcSpec { Name = "Guard" };
            foreach (string id in new[] { "guard-1", "guard-2" })
            {
                spec.Npc = id;
                _world.Add(spec);
            }
            spec.Persona = null;
            _rig.Opened();
            NextSpawn("guard-1", "guard-2");
        }

        private Npc[] Add(params string[] ids) => Array.ConvertAll(ids, id => Add(new NpcSpec { Npc = id, Name = id }));

        private Npc Add(NpcSpec spec)
        {
            Npc npc = _world.Add(spec);
            npc.Refused += error => _told.Add(npc.Id, error);
            return npc;
        }

        private void Frames()
        {
            for (int i = 0; i < 3; i++)
            {
                _rig.Step(0.1);
                _world.Tick(_rig.Now, _rig.Now);
            }
            _rig.Step();
        }

        /// <summary>The one spawn sent since the last call; if ids are given, it must name exactly these.</summary>
        private JsonValue NextSpawn(params string[] ids)
        {
            JsonValue spawn = _rig.Sent("spawn").Single();
            Assert.That(ids.Length == 0 || Names(spawn).SequenceEqual(ids), "the spawn names " + string.Join(", ", Names(spawn)));
            return spawn;
        }

        private void Spawned(JsonValue spawn)
        {
            IEnumerable<string> npcs = Names(spawn).Select((id, i) => "{\"npc\":\"" + id + "\",\"handle\":" + (i + 1) + "}");
            Tell("spawned", spawn, ",\"npcs\":[" + string.Join(",", npcs) + "],\"players\":[]");
        }

        private void Refuse(JsonValue request, string code, string field, string value = null, double? limit = null) => Tell(
            "error",
            request,
            ",\"code\":\"" + code + "\",\"message\":\"no\"" + (field == null ? "" : ",\"field\":\"" + field + "\"")
                + (value == null ? "" : ",\"value\":\"" + value.Replace("\"", "\\\"") + "\"") + (limit == null ? "" : ",\"limit\":" + limit));

        private void Tell(string type, JsonValue request, string fields)
        {
            _rig.Server.SendText("{\"type\":\"" + type + "\",\"seq\":" + ++_seq + ",\"id\":" + request["id"] + fields + "}");
            _rig.Step();
        }

        /// <summary>The ids of a spawn, or the texts of an array.</summary>
        private static string[] Names(JsonValue message) =>
            message.Type == JsonType.Array
                ? message.Items.Select(i => i.Text).ToArray()
                : message["npcs"].Items.Select(i => i["npc"].Text).ToArray();
    }
}
