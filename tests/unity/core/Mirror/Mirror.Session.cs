// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

using Callsheet.Wire;

namespace Callsheet.Tests
{
    internal static partial class Mirror
    {
        private static ClientInfo ParseClientInfo(FieldReader f)
        {
            var p = new ClientInfo();
            p.Name = f.Text("name", 1, 100, TextForm.Any);
            p.Version = f.Text("version", 1, 40, TextForm.Any);
            return p;
        }

        private static Resume ParseResume(FieldReader f)
        {
            var p = new Resume();
            p.Session = f.Text("session", 1, 64, TextForm.Any);
            p.Token = f.Text("token", 1, 128, TextForm.Any);
            p.LastSeq = f.Integer("last_seq", 0, 9007199254740991);
            return p;
        }

        private static HelloMessage ReadHelloMessage(FieldReader f)
        {
            var m = new HelloMessage();
            if (f.Contains("protocol")) m.Protocol = f.Text("protocol", 0, int.MaxValue, TextForm.Version);
            m.Role = (Role)f.Enum("role", WireNames.Role);
            m.World = f.Text("world", 1, 64, TextForm.Id);
            m.Client = ParseClientInfo(f.Part("client"));
            if (f.Has("token")) m.Token = f.Text("token", 0, 1024, TextForm.Any);
            if (f.Has("resume")) m.Resume = ParseResume(f.Part("resume"));
            return m;
        }

        private static void FormatLimits(JsonWriter w, Limits p)
        {
            w.Integer("max_message_bytes", p.MaxMessageBytes, 0, 9007199254740991);
            w.Integer("max_tick_bytes", p.MaxTickBytes, 0, 9007199254740991);
            w.Integer("max_npcs_per_world", p.MaxNpcsPerWorld, 0, 9007199254740991);
            w.Integer("max_npcs_per_spawn", p.MaxNpcsPerSpawn, 0, 9007199254740991);
            w.Integer("max_players_per_world", p.MaxPlayersPerWorld, 0, 9007199254740991);
            w.Integer("max_open_requests", p.MaxOpenRequests, 0, 9007199254740991);
            w.Real("max_messages_per_s", p.MaxMessagesPerS, double.MinValue, double.MaxValue);
            w.Real("max_ticks_per_s", p.MaxTicksPerS, double.MinValue, double.MaxValue);
            if (p.MaxBytesPerS != null) w.Integer("max_bytes_per_s", p.MaxBytesPerS.Value, 0, 9007199254740991);
            if (p.MaxGeneratedTokensPerMin != null) w.Integer("max_generated_tokens_per_min", p.MaxGeneratedTokensPerMin.Value, 0, 9007199254740991);
            if (p.MaxOutboxMessages != null) w.Integer("max_outbox_messages", p.MaxOutboxMessages.Value, 0, 9007199254740991);
            if (p.MaxOutboxBytes != null) w.Integer("max_outbox_bytes", p.MaxOutboxBytes.Value, 0, 9007199254740991);
            if (p.MaxModTurnsPerNpcPerMin != null) w.Real("max_mod_turns_per_npc_per_min", p.MaxModTurnsPerNpcPerMin.Value, double.MinValue, double.MaxValue);
        }

        private static void FormatEngineSummary(JsonWriter w, EngineSummary p)
        {
            w.Text("name", p.Name, 0, int.MaxValue, TextForm.Any);
            w.Text("version", p.Version, 0, int.MaxValue, TextForm.Any);
            w.Text("model", p.Model, 0, int.MaxValue, TextForm.Any);
            w.Text("device", p.Device, 0, int.MaxValue, TextForm.Any);
            w.Integer("context_limit_tokens", p.ContextLimitTokens, 0, 9007199254740991);
            w.Flag("keeps_residency", p.KeepsResidency);
            if (p.Replicas != null) w.Integer("replicas", p.Replicas.Value, 0, 9007199254740991);
        }

        private static void WriteEngineProgressMessage(JsonWriter w, EngineProgressMessage m)
        {
            w.Enum("phase", (int)m.Phase, WireNames.EnginePhase);
            w.Integer("done_bytes", m.DoneBytes, 0, 9007199254740991);
            if (m.TotalBytes != null) w.Integer("total_bytes", m.TotalBytes.Value, 0, 9007199254740991);
        }

        private static void WriteWelcomeMessage(JsonWriter w, WelcomeMessage m)
        {
            w.Text("protocol", m.Protocol, 0, int.MaxValue, TextForm.Any);
            w.Text("session", m.Session, 0, int.MaxValue, TextForm.Any);
            w.Text("resume_token", m.ResumeToken, 0, int.MaxValue, TextForm.Any);
            w.Flag("resumed", m.Resumed);
            w.Integer("last_request_id", m.LastRequestId, 0, 9007199254740991);
            w.Text("world", m.World, 1, 64, TextForm.Id);
            w.Enum("role", (int)m.Role, WireNames.Role);
            w.Part("limits", m.Limits, FormatLimits);
            w.Real("heartbeat_interval_s", m.HeartbeatIntervalS, double.MinValue, double.MaxValue);
            w.Real("resume_grace_s", m.ResumeGraceS, double.MinValue, double.MaxValue);
            w.Text("server_version", m.ServerVersion, 0, int.MaxValue, TextForm.Any);
            w.Real("server_time_s", m.ServerTimeS, double.MinValue, double.MaxValue);
            w.Part("engine", m.Engine, FormatEngineSummary);
            if (m.Worlds != null) w.Texts("worlds", m.Worlds, 0, int.MaxValue, 1, 64, TextForm.Id);
        }

        private static PingMessage ReadPingMessage(FieldReader f)
        {
            var m = new PingMessage();
            m.ClientTimeS = f.Real("client_time_s", -1e+15, 1e+15);
            if (f.Has("ack")) m.Ack = f.Integer("ack", 0, 9007199254740991);
            return m;
        }

        private static void WritePongMessage(JsonWriter w, PongMessage m)
        {
            w.Real("client_time_s", m.ClientTimeS, double.MinValue, double.MaxValue);
            w.Real("server_time_s", m.ServerTimeS, double.MinValue, double.MaxValue);
        }

        private static AckMessage ReadAckMessage(FieldReader f)
        {
            var m = new AckMessage();
            m.Seq = f.Integer("seq", 0, 9007199254740991);
            return m;
        }

        private static ByeMessage ReadByeMessage(FieldReader f)
        {
            var m = new ByeMessage();
            return m;
        }

        private static void WriteOkMessage(JsonWriter w, OkMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
        }

        private static void WriteErrorMessage(JsonWriter w, ErrorMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            if (m.Id != null) w.Integer("id", m.Id.Value, 1, 9007199254740991);
            w.Text("code", m.Code, 0, int.MaxValue, TextForm.Any);
            w.Text("message", m.Message, 0, int.MaxValue, TextForm.Any);
            if (m.Field != null) w.Text("field", m.Field, 0, int.MaxValue, TextForm.Any);
            if (m.Value != null) w.Text("value", m.Value, 0, int.MaxValue, TextForm.Any);
            if (m.Limit != null) w.Real("limit", m.Limit.Value, double.MinValue, double.MaxValue);
            if (m.RetryAfterS != null) w.Real("retry_after_s", m.RetryAfterS.Value, 0, 1e+12);
        }

        private static void WriteDrainingMessage(JsonWriter w, DrainingMessage m)
        {
            w.Real("deadline_s", m.DeadlineS, 0, 1e+12);
            w.Real("reconnect_after_s", m.ReconnectAfterS, 0, 1e+12);
        }
    }
}
