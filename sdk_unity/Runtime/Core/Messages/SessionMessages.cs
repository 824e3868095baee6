// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    /// <summary>The client's name and version, for logs and upgrade advice.</summary>
    public sealed class ClientInfo
    {
        /// <summary>Program or SDK.</summary>
        public string Name { get; set; }
        /// <summary>Its version.</summary>
        public string Version { get; set; }

        internal static void Format(JsonWriter w, ClientInfo p)
        {
            w.Text("name", p.Name, 1, 100, TextForm.Any);
            w.Text("version", p.Version, 1, 40, TextForm.Any);
        }
    }

    /// <summary>Asks to go on with an earlier session.</summary>
    public sealed class Resume
    {
        /// <summary>From <c>welcome</c>.</summary>
        public string Session { get; set; }
        /// <summary>From the newest <c>welcome</c>.</summary>
        public string Token { get; set; }
        /// <summary>The greatest <c>seq</c> received; the server replays what came after it.</summary>
        public long LastSeq { get; set; }

        internal static void Format(JsonWriter w, Resume p)
        {
            w.Text("session", p.Session, 1, 64, TextForm.Any);
            w.Text("token", p.Token, 1, 128, TextForm.Any);
            w.Integer("last_seq", p.LastSeq, 0, 9007199254740991);
        }
    }

    /// <summary>The first message of every connection.</summary>
    public sealed class HelloMessage : ClientMessage
    {
        /// <summary>Absent = 1.0, in all versions: the shape of <c>hello</c> never changes. Send <c>PROTOCOL</c>.</summary>
        public string Protocol { get; set; } = "1.0";
        /// <summary>What the client is.</summary>
        public Role Role { get; set; }
        /// <summary>The world. It need not exist yet.</summary>
        public string World { get; set; }
        /// <summary>Who is calling, for logs and upgrade advice.</summary>
        public ClientInfo Client { get; set; }
        /// <summary>The secret the server was started with, if it was.</summary>
        public string Token { get; set; }
        /// <summary>Asks to go on with an earlier session.</summary>
        public Resume Resume { get; set; }

        public override string Type => "hello";

        internal override void WriteFields(JsonWriter w)
        {
            w.Text("protocol", Protocol, 0, int.MaxValue, TextForm.Version);
            w.Enum("role", (int)Role, WireNames.Role);
            w.Text("world", World, 1, 64, TextForm.Id);
            w.Part("client", Client, ClientInfo.Format);
            if (Token != null) w.Text("token", Token, 0, 1024, TextForm.Any);
            if (Resume != null) w.Part("resume", Resume, Resume.Format);
        }
    }

    /// <summary>Limits on what this server accepts from this session.</summary>
    public sealed class Limits
    {
        /// <summary>Text frames, client to server.</summary>
        public long MaxMessageBytes { get; set; }
        /// <summary>Binary frames, client to server.</summary>
        public long MaxTickBytes { get; set; }
        /// <summary>NPCs alive at the same time.</summary>
        public long MaxNpcsPerWorld { get; set; }
        /// <summary>NPCs in one <c>spawn</c>.</summary>
        public long MaxNpcsPerSpawn { get; set; }
        /// <summary>Players at the same time.</summary>
        public long MaxPlayersPerWorld { get; set; }
        /// <summary><c>say</c> and <c>speak</c> whose reply has not ended.</summary>
        public long MaxOpenRequests { get; set; }
        /// <summary>Control messages; ticks are counted apart.</summary>
        public double MaxMessagesPerS { get; set; }
        /// <summary>Ticks per second, counted apart.</summary>
        public double MaxTicksPerS { get; set; }
        /// <summary>Bytes of frames, ticks included.</summary>
        public long? MaxBytesPerS { get; set; }
        /// <summary>Since 1.3. What the model may write for this session.</summary>
        public long? MaxGeneratedTokensPerMin { get; set; }
        /// <summary>Reliable messages that the server keeps while they are not acknowledged.</summary>
        public long? MaxOutboxMessages { get; set; }
        /// <summary>Since 1.3. Their bytes.</summary>
        public long? MaxOutboxBytes { get; set; }
        /// <summary><c>say</c> and <c>speak</c> of all mods together, to one NPC.</summary>
        public double? MaxModTurnsPerNpcPerMin { get; set; }

        internal static Limits Parse(FieldReader f)
        {
            var p = new Limits();
            p.MaxMessageBytes = f.Integer("max_message_bytes", 0, 9007199254740991);
            p.MaxTickBytes = f.Integer("max_tick_bytes", 0, 9007199254740991);
            p.MaxNpcsPerWorld = f.Integer("max_npcs_per_world", 0, 9007199254740991);
            p.MaxNpcsPerSpawn = f.Integer("max_npcs_per_spawn", 0, 9007199254740991);
            p.MaxPlayersPerWorld = f.Integer("max_players_per_world", 0, 9007199254740991);
            p.MaxOpenRequests = f.Integer("max_open_requests", 0, 9007199254740991);
            p.MaxMessagesPerS = f.Real("max_messages_per_s", double.MinValue, double.MaxValue);
            p.MaxTicksPerS = f.Real("max_ticks_per_s", double.MinValue, double.MaxValue);
            if (f.Has("max_bytes_per_s")) p.MaxBytesPerS = f.Integer("max_bytes_per_s", 0, 9007199254740991);
            if (f.Has("max_generated_tokens_per_min")) p.MaxGeneratedTokensPerMin = f.Integer("max_generated_tokens_per_min", 0, 9007199254740991);
            if (f.Has("max_outbox_messages")) p.MaxOutboxMessages = f.Integer("max_outbox_messages", 0, 9007199254740991);
            if (f.Has("max_outbox_bytes")) p.MaxOutboxBytes = f.Integer("max_outbox_bytes", 0, 9007199254740991);
            if (f.Has("max_mod_turns_per_npc_per_min")) p.MaxModTurnsPerNpcPerMin = f.Real("max_mod_turns_per_npc_per_min", double.MinValue, double.MaxValue);
            return p;
        }
    }

    /// <summary>The engine behind the server.</summary>
    public sealed class EngineSummary
    {
        /// <summary>"embedded", "sglang", "openai" or "scripted".</summary>
        public string Name { get; set; }
        /// <summary>Its version.</summary>
        public string Version { get; set; }
        /// <summary>Model id; empty for an engine without a model.</summary>
        public string Model { get; set; }
        /// <summary>The device of the model, as torch names it.</summary>
        public string Device { get; set; }
        /// <summary>Prompt and reply together.</summary>
        public long ContextLimitTokens { get; set; }
        /// <summary>The engine moves state between tiers; False: residency messages never come.</summary>
        public bool KeepsResidency { get; set; }
        /// <summary>Copies of the model that share the work; null = one, or not known.</summary>
        public long? Replicas { get; set; }

        internal static EngineSummary Parse(FieldReader f)
        {
            var p = new EngineSummary();
            p.Name = f.Text("name", 0, int.MaxValue, TextForm.Any);
            p.Version = f.Text("version", 0, int.MaxValue, TextForm.Any);
            p.Model = f.Text("model", 0, int.MaxValue, TextForm.Any);
            p.Device = f.Text("device", 0, int.MaxValue, TextForm.Any);
            p.ContextLimitTokens = f.Integer("context_limit_tokens", 0, 9007199254740991);
            p.KeepsResidency = f.Flag("keeps_residency");
            if (f.Has("replicas")) p.Replicas = f.Integer("replicas", 0, 9007199254740991);
            return p;
        }
    }

    /// <summary>Progress of an engine that is not ready yet; sent between <c>hello</c> and <c>welcome</c>.</summary>
    public sealed class EngineProgressMessage : ServerMessage
    {
        /// <summary>"download": the model is fetched; "load": it is made ready on this machine.</summary>
        public EnginePhase Phase { get; set; }
        /// <summary>Bytes fetched so far; 0 while it is loaded.</summary>
        public long DoneBytes { get; set; }
        /// <summary>null = not known.</summary>
        public long? TotalBytes { get; set; }

        public override string Type => "engine_progress";

        internal override void ReadFields(FieldReader f)
        {
            Phase = (EnginePhase)f.Enum("phase", WireNames.EnginePhase);
            DoneBytes = f.Integer("done_bytes", 0, 9007199254740991);
            if (f.Has("total_bytes")) TotalBytes = f.Integer("total_bytes", 0, 9007199254740991);
        }
    }

    /// <summary>The answer to <c>hello</c>: the session is open.</summary>
    public sealed class WelcomeMessage : ServerMessage
    {
        /// <summary>The server's version.</summary>
        public string Protocol { get; set; }
        /// <summary>Names the session, for a resume.</summary>
        public string Session { get; set; }
        /// <summary>For the next resume; works once.</summary>
        public string ResumeToken { get; set; }
        /// <summary>False: this is a new session; nothing of an earlier one is left.</summary>
        public bool Resumed { get; set; }
        /// <summary>
        /// The greatest request id the server has taken in this session (0 = none). A client that
        /// resumes sends again the requests with greater ids.
        /// </summary>
        public long LastRequestId { get; set; }
        /// <summary>The world.</summary>
        public string World { get; set; }
        /// <summary>The role.</summary>
        public Role Role { get; set; }
        /// <summary>What this server accepts from this session.</summary>
        public Limits Limits { get; set; }
        /// <summary>Send <c>ping</c> this often; silence of three intervals ends the connection.</summary>
        public double HeartbeatIntervalS { get; set; }
        /// <summary>Time for which a lost session can be resumed.</summary>
        public double ResumeGraceS { get; set; }
        /// <summary>Version of the server program, for logs.</summary>
        public string ServerVersion { get; set; }
        /// <summary>The server's monotonic clock, any epoch.</summary>
        public double ServerTimeS { get; set; }
        /// <summary>The engine behind the server.</summary>
        public EngineSummary Engine { get; set; }
        /// <summary>Worlds that have a game now, at most 64 of them; for observers only.</summary>
        public string[] Worlds { get; set; }

        public override string Type => "welcome";

        internal override void ReadFields(FieldReader f)
        {
            Protocol = f.Text("protocol", 0, int.MaxValue, TextForm.Any);
            Session = f.Text("session", 0, int.MaxValue, TextForm.Any);
            ResumeToken = f.Text("resume_token", 0, int.MaxValue, TextForm.Any);
            Resumed = f.Flag("resumed");
            LastRequestId = f.Integer("last_request_id", 0, 9007199254740991);
            World = f.Text("world", 1, 64, TextForm.Id);
            Role = (Role)f.Enum("role", WireNames.Role);
            Limits = Limits.Parse(f.Part("limits"));
            HeartbeatIntervalS = f.Real("heartbeat_interval_s", double.MinValue, double.MaxValue);
            ResumeGraceS = f.Real("resume_grace_s", double.MinValue, double.MaxValue);
            ServerVersion = f.Text("server_version", 0, int.MaxValue, TextForm.Any);
            ServerTimeS = f.Real("server_time_s", double.MinValue, double.MaxValue);
            Engine = EngineSummary.Parse(f.Part("engine"));
            if (f.Has("worlds")) Worlds = f.Texts("worlds", 0, int.MaxValue, 1, 64, TextForm.Id);
        }
    }

    /// <summary>Keeps the connection alive and syncs clocks.</summary>
    public sealed class PingMessage : ClientMessage
    {
        /// <summary>The client's clock, any epoch.</summary>
        public double ClientTimeS { get; set; }
        /// <summary>Says what an <c>ack</c> with this <c>seq</c> would.</summary>
        public long? Ack { get; set; }

        public override string Type => "ping";

        internal override void WriteFields(JsonWriter w)
        {
            w.Real("client_time_s", ClientTimeS, -1e+15, 1e+15);
            if (Ack != null) w.Integer("ack", Ack.Value, 0, 9007199254740991);
        }
    }

    /// <summary>Answers <c>ping</c> at once. Offset = server_time_s - (sent + received) / 2.</summary>
    public sealed class PongMessage : ServerMessage
    {
        /// <summary>As sent in <c>ping</c>.</summary>
        public double ClientTimeS { get; set; }
        /// <summary>The server's monotonic clock.</summary>
        public double ServerTimeS { get; set; }

        public override string Type => "pong";

        internal override void ReadFields(FieldReader f)
        {
            ClientTimeS = f.Real("client_time_s", double.MinValue, double.MaxValue);
            ServerTimeS = f.Real("server_time_s", double.MinValue, double.MaxValue);
        }
    }

    /// <summary>All reliable messages up to <c>seq</c> have been handled; the server may forget them.</summary>
    public sealed class AckMessage : ClientMessage
    {
        /// <summary>Greatest <c>seq</c> handled; 0 = none yet.</summary>
        public long Seq { get; set; }

        public override string Type => "ack";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("seq", Seq, 0, 9007199254740991);
        }
    }

    /// <summary>Ends the session for good: nothing is kept for a resume. The server closes with 1000.</summary>
    public sealed class ByeMessage : ClientMessage
    {

        public override string Type => "bye";

        internal override void WriteFields(JsonWriter w)
        {
        }
    }

    /// <summary>The request was carried out and there is nothing more to say.</summary>
    public sealed class OkMessage : ReliableMessage
    {
        /// <summary>The request this answers.</summary>
        public long Id { get; set; }

        public override string Type => "ok";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Id = f.Integer("id", 1, 9007199254740991);
        }
    }

    /// <summary>Something sent by the client was refused, or the session ends (see the code's rule).</summary>
    public sealed class ErrorMessage : ReliableMessage
    {
        /// <summary>The request that failed; null if no request is to blame.</summary>
        public long? Id { get; set; }
        /// <summary>A code of the table; clients treat codes they do not know as <c>internal</c>.</summary>
        public string Code { get; set; }
        /// <summary>For a developer: what is wrong and how to fix it.</summary>
        public string Message { get; set; }
        /// <summary>Dotted path of the field to blame, with list positions from 0: <c>npcs.3.name</c>. Names are cut at 80 characters.</summary>
        public string Field { get; set; }
        /// <summary>The value to blame as JSON text, cut at 80 characters.</summary>
        public string Value { get; set; }
        /// <summary>The limit that was passed.</summary>
        public double? Limit { get; set; }
        /// <summary>When trying again makes sense, in seconds from now.</summary>
        public double? RetryAfterS { get; set; }

        public override string Type => "error";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            if (f.Has("id")) Id = f.Integer("id", 1, 9007199254740991);
            Code = f.Text("code", 0, int.MaxValue, TextForm.Any);
            Message = f.Text("message", 0, int.MaxValue, TextForm.Any);
            if (f.Has("field")) Field = f.Text("field", 0, int.MaxValue, TextForm.Any);
            if (f.Has("value")) Value = f.Text("value", 0, int.MaxValue, TextForm.Any);
            if (f.Has("limit")) Limit = f.Real("limit", double.MinValue, double.MaxValue);
            if (f.Has("retry_after_s")) RetryAfterS = f.Real("retry_after_s", 0, 1e+12);
        }
    }

    /// <summary>The server is about to stop: no new requests; open replies finish until <c>deadline_s</c>.</summary>
    public sealed class DrainingMessage : ServerMessage
    {
        /// <summary>Seconds from now until the server closes with 4010.</summary>
        public double DeadlineS { get; set; }
        /// <summary>Seconds after which a reconnect is likely to find a server again.</summary>
        public double ReconnectAfterS { get; set; }

        public override string Type => "draining";

        internal override void ReadFields(FieldReader f)
        {
            DeadlineS = f.Real("deadline_s", 0, 1e+12);
            ReconnectAfterS = f.Real("reconnect_after_s", 0, 1e+12);
        }
    }
}
