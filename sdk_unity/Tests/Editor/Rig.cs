using System;
using System.Collections.Generic;
using System.Text;
using Callsheet.Core;
using Callsheet.Wire;

namespace Callsheet.Tests
{
    /// <summary>A session whose clock and whose server are in the test's hands.</summary>
    internal sealed class Rig
    {
        internal readonly List<InMemoryTransport> Connections = new List<InMemoryTransport>();
        internal readonly List<CallsheetError> Errors = new List<CallsheetError>();
        internal readonly List<ServerMessage> Received = new List<ServerMessage>();
        internal readonly List<Exception> Thrown = new List<Exception>();
        internal readonly List<SessionState> States = new List<SessionState>();
        internal readonly List<string> Warnings = new List<string>();
        internal readonly Session Session;
        internal double Now = 100;

        internal Rig(SessionOptions options = null)
        {
            Session = new Session(options ?? new SessionOptions(), Connect);
            Session.ErrorRaised += Errors.Add;
            Session.Received += Received.Add;
            Session.HandlerThrew += Thrown.Add;
            Session.VersionWarning += Warnings.Add;
            Session.StateChanged += (old, state) => States.Add(state);
        }

        /// <summary>A request with a reply.</summary>
        internal static SayMessage Say(string text = "Hello!") =>
            new SayMessage { Npc = "bob", Text = text, Speaker = new Speaker { Kind = SpeakerKind.Narrator } };

        /// <summary>A request with one answer.</summary>
        internal static ExplainMessage Explain() => new ExplainMessage { Npc = "bob" };

        /// <summary>The newest connection.</summary>
        internal InMemoryTransport Server => Connections[Connections.Count - 1];

        internal SessionState State => Session.State;

        internal void Step(double seconds = 0.01)
        {
            Now += seconds;
            Session.Tick(Now);
        }

        /// <summary>Ticks at 10 Hz for so long.</summary>
        internal void Run(double seconds)
        {
            for (double end = Now + seconds; Now < end;)
            {
                Step(0.1);
            }
        }

        /// <summary>Ticks until a new connection is made.</summary>
        internal void RunToConnection()
        {
            int before = Connections.Count;
            for (int i = 0; i < 1000 && Connections.Count == before; i++)
            {
                Step(0.1);
            }
        }

        /// <summary>Starts, connects and is welcomed.</summary>
        internal Rig Opened()
        {
            Session.Start();
            Step();
            Greet();
            return this;
        }

        /// <summary>Accepts the newest connection and welcomes the client.</summary>
        internal void Greet(bool resumed = false, long lastRequestId = 0, string protocol = ProtocolInfo.Protocol, double grace = 30, int openRequests = 256, double rate = 200)
        {
            Server.Accept();
            Step();
            Server.SendText(WelcomeText(resumed, lastRequestId, protocol, grace, openRequests, rate, "t" + Connections.Count));
            Step();
        }

        internal static string WelcomeText(
            bool resumed = false, long lastRequestId = 0, string protocol = ProtocolInfo.Protocol, double grace = 30, int openRequests = 256, double rate = 200, string token = "t") =>
            "{\"type\":\"welcome\",\"protocol\":\"" + protocol + "\",\"session\":\"s\",\"resume_token\":\"" + token + "\",\"resumed\":"
            + (resumed ? "true" : "false") + ",\"last_request_id\":" + lastRequestId
            + ",\"world\":\"default\",\"role\":\"game\",\"limits\":{\"max_message_bytes\":1048576,\"max_tick_bytes\":4194304,"
            + "\"max_npcs_per_world\":50000,\"max_npcs_per_spawn\":1000,\"max_players_per_world\":64,\"max_open_requests\":"
            + openRequests + ",\"max_messages_per_s\":" + rate + ",\"max_ticks_per_s\":120.0},\"heartbeat_interval_s\":5.0,\"resume_grace_s\":"
            + grace + ",\"server_version\":\"0.1.0\",\"server_time_s\":1.0,\"engine\":{\"name\":\"scripted\",\"version\":\"0.1.0\","
            + "\"model\":\"scripted\",\"device\":\"cpu\",\"context_limit_tokens\":2048,\"keeps_residency\":true}}";

        /// <summary>What the client sent in text since the last call, on the newest connection.</summary>
        internal List<JsonValue> Sent()
        {
            var sent = new List<JsonValue>();
            while (Server.TryTakeSent(out Frame frame))
            {
                if (frame.Kind == FrameKind.Text)
                {
                    sent.Add(Parse(frame.Data));
                }
            }
            return sent;
        }

        /// <summary>As <see cref="Sent"/>, of one type only.</summary>
        internal List<JsonValue> Sent(string type) => Sent().FindAll(m => m["type"].Text == type);

        /// <summary>The binary frames the client sent since the last call; texts are thrown away.</summary>
        internal List<byte[]> SentTicks()
        {
            var ticks = new List<byte[]>();
            while (Server.TryTakeSent(out Frame frame))
            {
                if (frame.Kind == FrameKind.Binary)
                {
                    ticks.Add(frame.Data.Array);
                }
            }
            return ticks;
        }

        internal static JsonValue Parse(ArraySegment<byte> text)
        {
            var document = new JsonDocument();
            string broken = document.Parse(text.Array, text.Offset, text.Count);
            if (broken != null)
            {
                throw new FormatException(broken);
            }
            return JsonValue.From(document, 0);
        }

        internal static JsonValue Parse(string text) => Parse(new ArraySegment<byte>(Encoding.UTF8.GetBytes(text)));

        private ITransport Connect()
        {
            Connections.Add(new InMemoryTransport());
            return Server;
        }
    }

    /// <summary>Keeps what a request was told.</summary>
    internal sealed class Recorder : IRequestHandler
    {
        internal readonly List<ServerMessage> Messages = new List<ServerMessage>();
        internal CallsheetError Error;
        internal long Id;

        public void OnSent(long id) => Id = id;

        public void OnMessage(ServerMessage message) => Messages.Add(message);

        public void OnFailed(CallsheetError error) => Error = error;
    }
}
