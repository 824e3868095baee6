using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    /// <summary>Saves, loads, forgetting, and a clock that goes its own way.</summary>
    public class MemoryTests
    {
        private const byte Rewind = 2;
        private Rig _rig;
        private GameWorld _world;

        [SetUp]
        public void SetUp()
        {
            _rig = new Rig();
            _world = new GameWorld(_rig.Session, new WorldOptions { TicksPerS = 10 });
        }

        [Test]
        public void A_save_is_awaited_with_its_game_time()
        {
            _rig.Opened();
            double? savedS = null;
            Await(_world.Save("slot 1"), saved => savedS = saved.TimeS);
            _rig.Step();
            JsonValue request = _rig.Sent("save").Single();
            Assert.That(request["name"].Text, Is.EqualTo("slot 1"));
            Assert.That(savedS, Is.Null);
            _rig.Server.SendText("{\"type\":\"saved\",\"seq\":1,\"id\":" + request["id"] + ",\"name\":\"slot 1\",\"time_s\":77.5}");
            _rig.Step();
            Assert.That(savedS, Is.EqualTo(77.5));
        }

        [Test]
        public void Saves_are_listed_and_deleted()
        {
            _rig.Opened();
            _rig.Sent();
            Answer<IReadOnlyList<SaveView>> list = _world.ListSaves();
            Answer<OkMessage> delete = _world.DeleteSave("old");
            _rig.Step();
            List<JsonValue> sent = _rig.Sent();
            Assert.That(sent.Select(m => m["type"].Text), Is.EqualTo(new[] { "list_saves", "delete_save" }));
            _rig.Server.SendText("{\"type\":\"saves\",\"seq\":1,\"id\":" + sent[0]["id"] + ",\"saves\":[{\"name\":\"old\",\"time_s\":1.5,\"saved_at\":1700000000.0}]}");
            _rig.Server.SendText("{\"type\":\"ok\",\"seq\":2,\"id\":" + sent[1]["id"] + "}");
            _rig.Step();
            Assert.That(list.Result.Single().Name, Is.EqualTo("old"));
            Assert.That(delete.IsComplete && delete.Error == null);
        }

        [Test]
        public void A_save_that_is_not_there_is_an_exception_where_it_is_awaited()
        {
            _rig.Opened();
            CallsheetException thrown = null;
            Await(_world.Load("none"), loaded => { }, e => thrown = e);
            _rig.Step();
            _rig.Server.SendText("{\"type\":\"error\",\"seq\":1,\"id\":" + _rig.Sent("load").Single()["id"] + ",\"code\":\"unknown_save\",\"message\":\"no save 'none'\"}");
            _rig.Step();
            Assert.That(thrown.Error.Code, Is.EqualTo(ErrorCode.UnknownSave));
            Assert.That(Tick(1), Is.Not.Null, "ticks go on");
        }

        [Test]
        public void Without_a_server_a_save_fails_and_a_bad_name_throws()
        {
            Assert.That(_world.Save("slot").Error.Code, Is.EqualTo(ErrorCode.ConnectionFailed));
            Assert.That(() => _world.Save(""), Throws.InstanceOf<CallsheetException>());
            Assert.That(() => _world.Load(new string('x', 65)), Throws.InstanceOf<CallsheetException>());
            Assert.That(Tick(1), Is.Null, "there is no session");
        }

        [Test]
        public void One_npc_or_everybody_forgets()
        {
            _rig.Opened();
            _world.Forget("bob");
            _world.Forget("bob", 12.5);
            _world.ForgetEverything();
            _rig.Step();
            List<JsonValue> sent = _rig.Sent("forget");
            Assert.That(sent.Select(m => m["npcs"] == null ? "all" : m["npcs"].Items.Single().Text), Is.EqualTo(new[] { "bob", "bob", "all" }));
            Assert.That(sent.Select(m => m["after_s"] == null ? -1 : m["after_s"].Number), Is.EqualTo(new[] { -1, 12.5, -1 }));
        }

        [Test]
        public void A_clock_stands_still_jumps_ahead_and_goes_back_with_a_keyframe_that_says_so()
        {
            _rig.Opened();
            Assert.That(Flags(Tick(100)), Is.EqualTo(Rewind), "the world may have been left at a later time");
            double[] times = { 100, 28900, 40, 41 };
            byte[][] ticks = Array.ConvertAll(times, Tick);
            Assert.That(ticks.Select(Time), Is.EqualTo(times));
            Assert.That(ticks.Select(Flags), Is.EqualTo(new byte[] { 0, 0, Rewind, 0 }));
            Assert.That(Kind(ticks[2]), Is.EqualTo(1), "a keyframe");
        }

        [Test]
        public void For_a_server_that_knows_no_way_back_the_clock_stands_still()
        {
            _rig.Session.Start();
            _rig.Step();
            _rig.Greet(protocol: "1.2");
            double[] times = { 50, 10, 60 };
            byte[][] ticks = Array.ConvertAll(times, Tick);
            Assert.That(ticks.Select(Time), Is.EqualTo(new[] { 50.0, 50.0, 60.0 }));
            Assert.That(ticks.Select(Flags), Is.EqualTo(new byte[] { 0, 0, 0 }));
        }

        [Test]
        public void No_tick_is_sent_between_a_load_and_its_answer_and_the_clock_goes_on_from_there()
        {
            _rig.Opened();
            Tick(500);
            double? loadedS = null;
            _world.Loaded += timeS => loadedS = timeS;
            _world.Load("slot");
            _rig.Step();
            long id = _rig.Sent("load").Single()["id"].Integer.Value;
            Assert.That(Tick(501), Is.Null);
            _rig.Server.SendText("{\"type\":\"loaded\",\"seq\":1,\"id\":" + id + ",\"name\":\"slot\",\"time_s\":200.0}");
            _rig.Step();
            Assert.That(loadedS, Is.EqualTo(200.0));
            byte[] tick = Tick(200.5);
            Assert.That(Time(tick), Is.EqualTo(200.5));
            Assert.That(Kind(tick), Is.EqualTo(1), "a keyframe");
            Assert.That(Flags(tick), Is.EqualTo(0));
        }

        [TestCase(double.NaN)]
        [TestCase(-1)]
        [TestCase(1e13)]
        public void A_time_that_cannot_be_told_throws(double timeS)
        {
            _rig.Opened();
            Assert.That(() => _world.Tick(_rig.Now, timeS), Throws.InstanceOf<ArgumentOutOfRangeException>());
        }

        private byte[] Tick(double gameTimeS)
        {
            _rig.Step(0.2);
            _world.Tick(_rig.Now, gameTimeS);
            return _rig.Connections.Count == 0 ? null : _rig.SentTicks().SingleOrDefault();
        }

        private static byte Flags(byte[] tick) => tick[4];

        private static int Kind(byte[] tick) => tick[3];

        private static double Time(byte[] tick) => BitConverter.ToDouble(tick, 16);

        private static async void Await<T>(Answer<T> answer, Action<T> done, Action<CallsheetException> failed = null)
        {
            try
            {
                done(await answer);
            }
            catch (CallsheetException e)
            {
                failed(e);
            }
        }
    }
}
