using System;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    /// <summary>What is wrong with a message, a handler or a request, and whom it harms.</summary>
    public class FaultTests
    {
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
        public void An_error_answers_its_request_with_a_typed_error()
        {
            Rig rig = new Rig().Opened();
            var request = new Recorder();
            rig.Session.Request(Rig.Explain(), request);
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
            var thrown = Assert.Throws<CallsheetException>(() => rig.Session.Request(Rig.Say(new string('x', 4001))));
            Assert.That(thrown.Error.Field, Is.EqualTo("text"));
            Assert.That(thrown.Error.Limit, Is.EqualTo(4000));
            thrown = Assert.Throws<CallsheetException>(() => rig.Session.Request(new ExplainMessage { Npc = "no spaces" }));
            Assert.That(thrown.Error.Message, Contains.Substring("explain.npc"));
        }
    }
}
