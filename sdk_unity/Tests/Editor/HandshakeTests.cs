using System;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    /// <summary>The beginning of a session: hello, welcome, versions, servers that do not answer.</summary>
    public class HandshakeTests
    {
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
        public void A_server_that_tells_of_its_engine_is_waited_for()
        {
            Rig rig = new Rig(new SessionOptions { ConnectTimeoutS = 2 });
            rig.Session.Start();
            rig.Step();
            rig.Server.Accept();
            for (int i = 0; i < 10; i++)
            {
                rig.Run(1.5);
                rig.Server.SendText("{\"type\":\"engine_progress\",\"phase\":\"download\",\"done_bytes\":3,\"total_bytes\":9}");
            }
            rig.Step();
            Assert.That(rig.State, Is.EqualTo(SessionState.Greeting));
            Assert.That(rig.Received.OfType<EngineProgressMessage>().Last().TotalBytes, Is.EqualTo(9));
            rig.Server.SendText(Rig.WelcomeText());
            rig.Step();
            Assert.That(rig.State, Is.EqualTo(SessionState.Open));
            Assert.That(rig.Errors, Is.Empty);
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

        [TestCase("http://127.0.0.1:8765/", "default")]
        [TestCase("nonsense", "default")]
        [TestCase("ws://127.0.0.1:8765/", "two words")]
        public void Bad_options_are_refused_with_the_name_of_the_option(string url, string world)
        {
            Assert.That(() => new Session(new SessionOptions { Url = url, World = world }, () => null), Throws.ArgumentException);
        }
    }
}
