using System;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    /// <summary>The end of a session, and starting again.</summary>
    public class StopTests
    {
        [Test]
        public void A_stop_says_goodbye_and_waits_for_the_close()
        {
            Rig rig = new Rig().Opened();
            var request = new Recorder();
            rig.Session.Request(Rig.Explain(), request);
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
                    rig.Session.Request(Rig.Explain(), request);
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
        public void An_abort_drops_the_connection_at_once()
        {
            Rig rig = new Rig().Opened();
            var request = new Recorder();
            rig.Session.Request(Rig.Explain(), request);
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
    }
}
