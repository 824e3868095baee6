using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    /// <summary>Pings, pongs and silence.</summary>
    public class HeartbeatTests
    {
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
    }
}
