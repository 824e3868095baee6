using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>What an NPC remembers and what time it is: saves, the game's clock, leaving and forgetting.</summary>
    public class SavesTests : PlayingFixture
    {
        [Test]
        public void A_save_system_saves_lists_and_deletes()
        {
            CallsheetNpc bob = Alive("bob");
            var done = new List<string>();
            bob.StartCoroutine(SaveAndDelete(done));
            PlayerLoop.Frame();
            Server.SendText("{\"type\":\"saved\",\"seq\":2,\"id\":" + Sent("save").Single()["id"] + ",\"name\":\"slot 1\",\"time_s\":5.0}");
            Frames(0.1);
            Server.SendText("{\"type\":\"saves\",\"seq\":3,\"id\":" + Sent("list_saves").Single()["id"] + ",\"saves\":[{\"name\":\"slot 1\",\"time_s\":5.0,\"saved_at\":1.0}]}");
            Frames(0.1);
            JsonValue delete = Sent("delete_save").Single();
            Assert.That(delete["name"].Text, Is.EqualTo("slot 1"));
            Server.SendText("{\"type\":\"error\",\"seq\":4,\"id\":" + delete["id"] + ",\"code\":\"unknown_save\",\"message\":\"no save 'slot 1'\"}");
            Frames(0.1);
            Assert.That(done, Is.EqualTo(new[] { "saved at 5", "slot 1", "unknown_save: no save 'slot 1'" }));
        }

        [Test]
        public void After_a_load_the_clock_goes_on_from_the_time_of_the_save()
        {
            Alive("bob");
            Load(5000);
            Ticks();
            Frames(0.5);
            List<byte[]> ticks = Ticks();
            Assert.That(TimeOf(ticks[0]), Is.EqualTo(5000).Within(0.2));
            Assert.That(TimeOf(ticks.Last()) - TimeOf(ticks[0]), Is.GreaterThan(0.3));
        }

        [Test]
        public void The_game_can_supply_its_clock()
        {
            Alive("bob");
            double nowS = 28800;
            CallsheetClient.GameClock = () => nowS;
            Assert.That(Next(), Is.EqualTo(28800), "eight in the morning");
            Assert.That(Next(), Is.EqualTo(28800), "paused");
            nowS += 8 * 3600;
            Assert.That(Next(), Is.EqualTo(57600), "after eight hours of sleep");
            nowS = 100;
            Assert.That(Next(), Is.EqualTo(100), "yesterday");
        }

        [Test]
        public void A_clock_that_says_no_time_stops_the_ticks_with_one_warning()
        {
            Alive("bob");
            double nowS = double.NaN;
            CallsheetClient.GameClock = () => nowS;
            Ticks();
            Frames(0.5);
            Assert.That(Ticks(), Is.Empty);
            Assert.That(Debug.Lines.Single(), Is.StringContaining("the game's clock says NaN s"));
            nowS = 7;
            Assert.That(Next(), Is.EqualTo(7));
        }

        [Test]
        public void The_clock_component_runs_at_its_speed_pauses_skips_and_is_loaded()
        {
            Alive("bob");
            CallsheetGameClock clock = new GameObject("clock").AddComponent<CallsheetGameClock>();
            clock.TimeS = 1000;
            clock.Speed = 60;
            Frames(1);
            Assert.That(clock.TimeS, Is.EqualTo(1060).Within(2));
            Assert.That(Next(), Is.EqualTo(clock.TimeS).Within(12));
            clock.IsPaused = true;
            double pausedS = clock.TimeS;
            Frames(1);
            Assert.That(clock.TimeS, Is.EqualTo(pausedS));
            clock.Skip(28800);
            Assert.That(Next(), Is.EqualTo(pausedS + 28800));
            Load(200);
            Assert.That(clock.TimeS, Is.EqualTo(200));
            Assert.That(Next(), Is.EqualTo(200));
            clock.enabled = false;
            Assert.That(CallsheetClient.GameClock, Is.Null);
        }

        [Test]
        public void A_scene_that_is_left_forgets_nothing()
        {
            CallsheetNpc bob = Alive("bob");
            bob.enabled = false;
            bob.enabled = true;
            PlayerLoop.LoadScene();
            Frames(0.1);
            List<JsonValue> sent = Sent();
            Assert.That(sent.Single(m => m["type"].Text == "despawn")["npcs"].Items.Single().Text, Is.EqualTo("bob"));
            Assert.That(sent.Any(m => m["type"].Text == "forget"), Is.False);
        }

        [Test]
        public void To_forget_is_asked_for()
        {
            CallsheetNpc bob = Alive("bob");
            bob.Forget();
            bob.ForgetAfter(60);
            PlayerLoop.Frame();
            List<JsonValue> sent = Sent("forget");
            Assert.That(sent.All(m => m["npcs"].Items.Single().Text == "bob"));
            Assert.That(sent.Select(m => m["after_s"] == null), Is.EqualTo(new[] { true, false }));
        }

        private static IEnumerator SaveAndDelete(List<string> done)
        {
            Answer<SavedMessage> saved = CallsheetSaves.Save("slot 1");
            yield return saved;
            done.Add("saved at " + saved.Result.TimeS);
            Answer<IReadOnlyList<SaveView>> list = CallsheetSaves.List();
            yield return list;
            done.AddRange(list.Result.Select(save => save.Name));
            Answer<OkMessage> delete = CallsheetSaves.Delete("slot 1");
            yield return delete;
            done.Add(delete.Error.ToString());
        }

        private void Load(double timeS)
        {
            Answer<LoadedMessage> load = CallsheetSaves.Load("slot 1");
            PlayerLoop.Frame();
            Server.SendText("{\"type\":\"loaded\",\"seq\":2,\"id\":" + Sent("load").Single()["id"] + ",\"name\":\"slot 1\",\"time_s\":"
                + timeS.ToString(System.Globalization.CultureInfo.InvariantCulture) + ".0}");
            PlayerLoop.Frame();
            Assert.That(load.Result.TimeS, Is.EqualTo(timeS));
        }

        /// <summary>The game time of the next tick.</summary>
        private double Next()
        {
            Ticks();
            Frames(0.2);
            return TimeOf(Ticks().First());
        }

        private static double TimeOf(byte[] tick) => BitConverter.ToDouble(tick, 16);
    }
}
