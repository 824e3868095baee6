// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

using Callsheet.Wire;

namespace Callsheet.Tests
{
    /// <summary>The server's side of the codec.</summary>
    internal static class Mirror
    {

        internal static ClientMessage Read(string type, FieldReader f)
        {
            switch (type)
            {
                case "hello": return ReadHelloMessage(f);
                case "ping": return ReadPingMessage(f);
                case "ack": return ReadAckMessage(f);
                case "bye": return ReadByeMessage(f);
                case "configure_world": return ReadConfigureWorldMessage(f);
                case "spawn": return ReadSpawnMessage(f);
                case "update_npc": return ReadUpdateNpcMessage(f);
                case "despawn": return ReadDespawnMessage(f);
                case "hint_calls": return ReadHintCallsMessage(f);
                case "tick": return ReadJsonTickMessage(f);
                case "join": return ReadJoinMessage(f);
                case "move_player": return ReadMovePlayerMessage(f);
                case "forget": return ReadForgetMessage(f);
                case "save": return ReadSaveMessage(f);
                case "load": return ReadLoadMessage(f);
                case "delete_save": return ReadDeleteSaveMessage(f);
                case "list_saves": return ReadListSavesMessage(f);
                case "say": return ReadSayMessage(f);
                case "speak": return ReadSpeakMessage(f);
                case "cancel": return ReadCancelMessage(f);
                case "action_result": return ReadActionResultMessage(f);
                case "register_script": return ReadRegisterScriptMessage(f);
                case "unregister_script": return ReadUnregisterScriptMessage(f);
                case "hear_answer": return ReadHearAnswerMessage(f);
                case "set_facts": return ReadSetFactsMessage(f);
                case "get_facts": return ReadGetFactsMessage(f);
                case "subscribe": return ReadSubscribeMessage(f);
                case "explain": return ReadExplainMessage(f);
                case "set_policy": return ReadSetPolicyMessage(f);
                default: return null;
            }
        }

        internal static void Write(JsonWriter w, ServerMessage message)
        {
            switch (message.Type)
            {
                case "welcome": WriteWelcomeMessage(w, (WelcomeMessage)message); break;
                case "pong": WritePongMessage(w, (PongMessage)message); break;
                case "ok": WriteOkMessage(w, (OkMessage)message); break;
                case "error": WriteErrorMessage(w, (ErrorMessage)message); break;
                case "draining": WriteDrainingMessage(w, (DrainingMessage)message); break;
                case "spawned": WriteSpawnedMessage(w, (SpawnedMessage)message); break;
                case "tick_ack": WriteTickAckMessage(w, (TickAckMessage)message); break;
                case "world_closed": WriteWorldClosedMessage(w, (WorldClosedMessage)message); break;
                case "joined": WriteJoinedMessage(w, (JoinedMessage)message); break;
                case "saved": WriteSavedMessage(w, (SavedMessage)message); break;
                case "loaded": WriteLoadedMessage(w, (LoadedMessage)message); break;
                case "saves": WriteSavesMessage(w, (SavesMessage)message); break;
                case "reply_start": WriteReplyStartMessage(w, (ReplyStartMessage)message); break;
                case "reply_delta": WriteReplyDeltaMessage(w, (ReplyDeltaMessage)message); break;
                case "reply_end": WriteReplyEndMessage(w, (ReplyEndMessage)message); break;
                case "action": WriteActionMessage(w, (ActionMessage)message); break;
                case "script_registered": WriteScriptRegisteredMessage(w, (ScriptRegisteredMessage)message); break;
                case "npc_spawned": WriteNpcSpawnedMessage(w, (NpcSpawnedMessage)message); break;
                case "heard": WriteHeardMessage(w, (HeardMessage)message); break;
                case "player_near": WritePlayerNearMessage(w, (PlayerNearMessage)message); break;
                case "player_left": WritePlayerLeftMessage(w, (PlayerLeftMessage)message); break;
                case "npc_tick": WriteNpcTickMessage(w, (NpcTickMessage)message); break;
                case "action_done": WriteActionDoneMessage(w, (ActionDoneMessage)message); break;
                case "facts": WriteFactsMessage(w, (FactsMessage)message); break;
                case "explanation": WriteExplanationMessage(w, (ExplanationMessage)message); break;
                case "moves": WriteMovesMessage(w, (MovesMessage)message); break;
                case "npc_states": WriteNpcStatesMessage(w, (NpcStatesMessage)message); break;
                case "stats": WriteStatsMessage(w, (StatsMessage)message); break;
            }
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

        private static PingMessage ReadPingMessage(FieldReader f)
        {
            var m = new PingMessage();
            m.ClientTimeS = f.Real("client_time_s", -1e+15, 1e+15);
            if (f.Has("ack")) m.Ack = f.Integer("ack", 0, 9007199254740991);
            return m;
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

        private static ConfigureWorldMessage ReadConfigureWorldMessage(FieldReader f)
        {
            var m = new ConfigureWorldMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            if (f.Has("lore")) m.Lore = f.Text("lore", 0, 16000, TextForm.Any);
            if (f.Has("player_max_speed_mps")) m.PlayerMaxSpeedMps = f.Real("player_max_speed_mps", double.Epsilon, 10000);
            if (f.Has("npc_max_speed_mps")) m.NpcMaxSpeedMps = f.Real("npc_max_speed_mps", double.Epsilon, 10000);
            return m;
        }

        private static SpawnMessage ReadSpawnMessage(FieldReader f)
        {
            var m = new SpawnMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            if (f.Contains("npcs")) m.Npcs = f.Parts("npcs", 0, int.MaxValue, ParseNpcSpec);
            if (f.Contains("players")) m.Players = f.Parts("players", 0, int.MaxValue, ParsePlayerSpec);
            return m;
        }

        private static UpdateNpcMessage ReadUpdateNpcMessage(FieldReader f)
        {
            var m = new UpdateNpcMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            if (f.Has("name")) m.Name = f.Text("name", 1, 100, TextForm.Any);
            if (f.Has("persona")) m.Persona = f.Text("persona", 0, 16000, TextForm.Any);
            if (f.Has("adapter")) m.Adapter = f.Text("adapter", 0, 64, TextForm.IdOrEmpty);
            if (f.Has("interaction_radius_m")) m.InteractionRadiusM = f.Real("interaction_radius_m", 0, 100000);
            if (f.Has("sociability")) m.Sociability = f.Real("sociability", 0, 1);
            if (f.Has("schedule")) m.Schedule = f.Parts("schedule", 0, 64, ParseScheduledCall);
            if (f.Has("actions")) m.Actions = f.Texts("actions", 0, 32, 1, 64, TextForm.Identifier);
            return m;
        }

        private static DespawnMessage ReadDespawnMessage(FieldReader f)
        {
            var m = new DespawnMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            if (f.Contains("npcs")) m.Npcs = f.Texts("npcs", 0, int.MaxValue, 1, 64, TextForm.Id);
            if (f.Contains("players")) m.Players = f.Texts("players", 0, int.MaxValue, 1, 64, TextForm.Id);
            return m;
        }

        private static HintCallsMessage ReadHintCallsMessage(FieldReader f)
        {
            var m = new HintCallsMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Hints = f.Parts("hints", 1, 10000, ParseHint);
            return m;
        }

        private static JsonTickMessage ReadJsonTickMessage(FieldReader f)
        {
            var m = new JsonTickMessage();
            m.Kind = (TickKind)f.Enum("kind", WireNames.TickKind);
            m.Tick = f.Handle("tick");
            m.GameTimeS = f.Real("game_time_s", 0, 1e+12);
            if (f.Contains("ack")) m.Ack = f.Flag("ack");
            if (f.Has("rewind")) m.Rewind = f.Flag("rewind");
            if (f.Contains("npcs")) m.Npcs = f.Parts("npcs", 0, int.MaxValue, ParseTickNpc);
            if (f.Contains("players")) m.Players = f.Parts("players", 0, int.MaxValue, ParseTickPlayer);
            return m;
        }

        private static JoinMessage ReadJoinMessage(FieldReader f)
        {
            var m = new JoinMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Name = f.Text("name", 1, 100, TextForm.Any);
            m.Position = f.Vector("position", -1e+07, 1e+07);
            return m;
        }

        private static MovePlayerMessage ReadMovePlayerMessage(FieldReader f)
        {
            var m = new MovePlayerMessage();
            m.Position = f.Vector("position", -1e+07, 1e+07);
            if (f.Contains("velocity")) m.Velocity = f.Vector("velocity", -1e+07, 1e+07);
            return m;
        }

        private static ForgetMessage ReadForgetMessage(FieldReader f)
        {
            var m = new ForgetMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            if (f.Has("npcs")) m.Npcs = f.Texts("npcs", 1, 10000, 1, 64, TextForm.Id);
            if (f.Has("after_s")) m.AfterS = f.Real("after_s", 0, 1e+12);
            return m;
        }

        private static SaveMessage ReadSaveMessage(FieldReader f)
        {
            var m = new SaveMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Name = f.Text("name", 1, 64, TextForm.Any);
            return m;
        }

        private static LoadMessage ReadLoadMessage(FieldReader f)
        {
            var m = new LoadMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Name = f.Text("name", 1, 64, TextForm.Any);
            return m;
        }

        private static DeleteSaveMessage ReadDeleteSaveMessage(FieldReader f)
        {
            var m = new DeleteSaveMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Name = f.Text("name", 1, 64, TextForm.Any);
            return m;
        }

        private static ListSavesMessage ReadListSavesMessage(FieldReader f)
        {
            var m = new ListSavesMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            return m;
        }

        private static SayMessage ReadSayMessage(FieldReader f)
        {
            var m = new SayMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            m.Speaker = ParseSpeaker(f.Part("speaker"));
            m.Text = f.Text("text", 1, 4000, TextForm.Any);
            if (f.Has("priority")) m.Priority = (Priority)f.Enum("priority", WireNames.Priority);
            if (f.Has("max_tokens")) m.MaxTokens = f.Integer("max_tokens", 1, 4096);
            if (f.Has("sampling")) m.Sampling = ParseSamplingSpec(f.Part("sampling"));
            if (f.Contains("stop")) m.Stop = f.Texts("stop", 0, 8, 1, 100, TextForm.Any);
            return m;
        }

        private static SpeakMessage ReadSpeakMessage(FieldReader f)
        {
            var m = new SpeakMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            m.Text = f.Text("text", 1, 4000, TextForm.Any);
            return m;
        }

        private static CancelMessage ReadCancelMessage(FieldReader f)
        {
            var m = new CancelMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            return m;
        }

        private static ActionResultMessage ReadActionResultMessage(FieldReader f)
        {
            var m = new ActionResultMessage();
            m.Action = f.Integer("action", 1, 9007199254740991);
            m.Ok = f.Flag("ok");
            if (f.Contains("message")) m.Message = f.Text("message", 0, 1000, TextForm.Any);
            return m;
        }

        private static RegisterScriptMessage ReadRegisterScriptMessage(FieldReader f)
        {
            var m = new RegisterScriptMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Script = f.Text("script", 1, 64, TextForm.Id);
            if (f.Contains("npcs")) m.Npcs = f.Texts("npcs", 0, 10000, 1, 64, TextForm.Id);
            if (f.Contains("archetypes")) m.Archetypes = f.Texts("archetypes", 0, 100, 1, 64, TextForm.Id);
            if (f.Has("persona")) m.Persona = f.Text("persona", 0, 16000, TextForm.Any);
            if (f.Has("interaction_radius_m")) m.InteractionRadiusM = f.Real("interaction_radius_m", 0, 100000);
            if (f.Has("sociability")) m.Sociability = f.Real("sociability", 0, 1);
            if (f.Has("schedule")) m.Schedule = f.Parts("schedule", 0, 64, ParseScheduledCall);
            if (f.Contains("actions")) m.Actions = f.Parts("actions", 0, 32, ParseActionSpec);
            if (f.Contains("events")) m.Events = System.Array.ConvertAll(f.Enums("events", 0, 3, WireNames.ScriptEvent), i => (ScriptEvent)i);
            if (f.Contains("tick_interval_s")) m.TickIntervalS = f.Real("tick_interval_s", 0.1, 3600);
            return m;
        }

        private static UnregisterScriptMessage ReadUnregisterScriptMessage(FieldReader f)
        {
            var m = new UnregisterScriptMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Script = f.Text("script", 1, 64, TextForm.Id);
            return m;
        }

        private static HearAnswerMessage ReadHearAnswerMessage(FieldReader f)
        {
            var m = new HearAnswerMessage();
            m.Call = f.Integer("call", 1, 9007199254740991);
            if (f.Has("material")) m.Material = f.Text("material", 0, 4000, TextForm.Any);
            if (f.Has("reply")) m.Reply = f.Text("reply", 1, 4000, TextForm.Any);
            if (f.Contains("ignore")) m.Ignore = f.Flag("ignore");
            if (f.Has("actions")) m.Actions = f.Texts("actions", 0, 32, 1, 64, TextForm.Identifier);
            return m;
        }

        private static SetFactsMessage ReadSetFactsMessage(FieldReader f)
        {
            var m = new SetFactsMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            m.Facts = f.Object("facts");
            return m;
        }

        private static GetFactsMessage ReadGetFactsMessage(FieldReader f)
        {
            var m = new GetFactsMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            return m;
        }

        private static SubscribeMessage ReadSubscribeMessage(FieldReader f)
        {
            var m = new SubscribeMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Topics = System.Array.ConvertAll(f.Enums("topics", 0, 4, WireNames.Topic), i => (Topic)i);
            if (f.Contains("interval_s")) m.IntervalS = f.Real("interval_s", 0.05, 60);
            return m;
        }

        private static ExplainMessage ReadExplainMessage(FieldReader f)
        {
            var m = new ExplainMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            return m;
        }

        private static SetPolicyMessage ReadSetPolicyMessage(FieldReader f)
        {
            var m = new SetPolicyMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Policy = (PolicyName)f.Enum("policy", WireNames.PolicyName);
            return m;
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

        private static void WritePongMessage(JsonWriter w, PongMessage m)
        {
            w.Real("client_time_s", m.ClientTimeS, double.MinValue, double.MaxValue);
            w.Real("server_time_s", m.ServerTimeS, double.MinValue, double.MaxValue);
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

        private static void WriteSpawnedMessage(JsonWriter w, SpawnedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Parts("npcs", m.Npcs, 0, int.MaxValue, FormatSpawnedNpc);
            w.Parts("players", m.Players, 0, int.MaxValue, FormatSpawnedPlayer);
        }

        private static void WriteTickAckMessage(JsonWriter w, TickAckMessage m)
        {
            w.Handle("tick", m.Tick);
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
        }

        private static void WriteWorldClosedMessage(JsonWriter w, WorldClosedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
        }

        private static void WriteJoinedMessage(JsonWriter w, JoinedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Text("player", m.Player, 1, 64, TextForm.Id);
            w.Real("max_speed_mps", m.MaxSpeedMps, double.MinValue, double.MaxValue);
        }

        private static void WriteSavedMessage(JsonWriter w, SavedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Text("name", m.Name, 1, 64, TextForm.Any);
            w.Real("time_s", m.TimeS, double.MinValue, double.MaxValue);
        }

        private static void WriteLoadedMessage(JsonWriter w, LoadedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            if (m.Id != null) w.Integer("id", m.Id.Value, 1, 9007199254740991);
            w.Text("name", m.Name, 1, 64, TextForm.Any);
            w.Real("time_s", m.TimeS, double.MinValue, double.MaxValue);
        }

        private static void WriteSavesMessage(JsonWriter w, SavesMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Parts("saves", m.Saves, 0, int.MaxValue, FormatSaveView);
        }

        private static void WriteReplyStartMessage(JsonWriter w, ReplyStartMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            if (m.Id != null) w.Integer("id", m.Id.Value, 1, 9007199254740991);
            w.Integer("reply", m.Reply, 1, 9007199254740991);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Part("speaker", m.Speaker, FormatSpeakerView);
            w.Text("heard", m.Heard, 0, int.MaxValue, TextForm.Any);
        }

        private static void WriteReplyDeltaMessage(JsonWriter w, ReplyDeltaMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            if (m.Id != null) w.Integer("id", m.Id.Value, 1, 9007199254740991);
            w.Integer("reply", m.Reply, 1, 9007199254740991);
            w.Text("text", m.Text, 0, int.MaxValue, TextForm.Any);
            if (m.EndsSentence != null) w.Flag("ends_sentence", m.EndsSentence.Value);
            if (m.StageDirection != null) w.Text("stage_direction", m.StageDirection, 0, int.MaxValue, TextForm.Any);
        }

        private static void WriteReplyEndMessage(JsonWriter w, ReplyEndMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            if (m.Id != null) w.Integer("id", m.Id.Value, 1, 9007199254740991);
            w.Integer("reply", m.Reply, 1, 9007199254740991);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Text("text", m.Text, 0, int.MaxValue, TextForm.Any);
            w.Enum("finish_reason", (int)m.FinishReason, WireNames.FinishReason);
            if (m.Code != null) w.Text("code", m.Code, 0, int.MaxValue, TextForm.Any);
            if (m.Message != null) w.Text("message", m.Message, 0, int.MaxValue, TextForm.Any);
            w.Integer("prompt_tokens", m.PromptTokens, 0, 9007199254740991);
            w.Integer("cached_tokens", m.CachedTokens, 0, 9007199254740991);
            w.Integer("generated_tokens", m.GeneratedTokens, 0, 9007199254740991);
            if (m.Tier != null) w.Enum("tier", (int)m.Tier.Value, WireNames.Tier);
            if (m.TtftS != null) w.Real("ttft_s", m.TtftS.Value, double.MinValue, double.MaxValue);
            if (m.TotalS != null) w.Real("total_s", m.TotalS.Value, double.MinValue, double.MaxValue);
        }

        private static void WriteActionMessage(JsonWriter w, ActionMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            if (m.Id != null) w.Integer("id", m.Id.Value, 1, 9007199254740991);
            w.Integer("reply", m.Reply, 1, 9007199254740991);
            w.Integer("action", m.Action, 1, 9007199254740991);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Text("name", m.Name, 1, 64, TextForm.Identifier);
            w.Object("arguments", m.Arguments);
        }

        private static void WriteScriptRegisteredMessage(JsonWriter w, ScriptRegisteredMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Texts("npcs", m.Npcs, 0, int.MaxValue, 1, 64, TextForm.Id);
            if (m.Note != null) w.Text("note", m.Note, 0, int.MaxValue, TextForm.Any);
        }

        private static void WriteNpcSpawnedMessage(JsonWriter w, NpcSpawnedMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Flag("alive", m.Alive);
        }

        private static void WriteHeardMessage(JsonWriter w, HeardMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Integer("call", m.Call, 1, 9007199254740991);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Part("speaker", m.Speaker, FormatSpeakerView);
            w.Text("text", m.Text, 0, int.MaxValue, TextForm.Any);
            w.Real("deadline_s", m.DeadlineS, double.MinValue, double.MaxValue);
        }

        private static void WritePlayerNearMessage(JsonWriter w, PlayerNearMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Text("player", m.Player, 1, 64, TextForm.Id);
            w.Real("distance_m", m.DistanceM, double.MinValue, double.MaxValue);
        }

        private static void WritePlayerLeftMessage(JsonWriter w, PlayerLeftMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Text("player", m.Player, 1, 64, TextForm.Id);
        }

        private static void WriteNpcTickMessage(JsonWriter w, NpcTickMessage m)
        {
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
            if (m.DistanceS != null) w.Real("distance_s", m.DistanceS.Value, double.MinValue, double.MaxValue);
        }

        private static void WriteActionDoneMessage(JsonWriter w, ActionDoneMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Text("script", m.Script, 1, 64, TextForm.Id);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Integer("action", m.Action, 1, 9007199254740991);
            w.Text("name", m.Name, 1, 64, TextForm.Identifier);
            w.Flag("ok", m.Ok);
            w.Text("message", m.Message, 0, int.MaxValue, TextForm.Any);
        }

        private static void WriteFactsMessage(JsonWriter w, FactsMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Object("facts", m.Facts);
        }

        private static void WriteExplanationMessage(JsonWriter w, ExplanationMessage m)
        {
            if (m.Seq != null) w.Integer("seq", m.Seq.Value, 1, 9007199254740991);
            w.Integer("id", m.Id, 1, 9007199254740991);
            w.Text("npc", m.Npc, 1, 64, TextForm.Id);
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
            if (m.DistanceS != null) w.Real("distance_s", m.DistanceS.Value, double.MinValue, double.MaxValue);
            if (m.Estimator != null) w.Text("estimator", m.Estimator, 0, int.MaxValue, TextForm.Any);
            w.Enum("tier", (int)m.Tier, WireNames.Tier);
            w.Parts("estimators", m.Estimators, 0, int.MaxValue, FormatEstimatorView);
        }

        private static void WriteMovesMessage(JsonWriter w, MovesMessage m)
        {
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
            w.Parts("moves", m.Moves, 0, int.MaxValue, FormatMove);
            w.Integer("dropped", m.Dropped, 0, 9007199254740991);
        }

        private static void WriteNpcStatesMessage(JsonWriter w, NpcStatesMessage m)
        {
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
            w.Integer("part", m.Part, 0, 9007199254740991);
            w.Integer("parts", m.Parts, 1, 9007199254740991);
            w.Parts("npcs", m.Npcs, 0, int.MaxValue, FormatNpcState);
            w.Parts("players", m.Players, 0, int.MaxValue, FormatPlayerState);
        }

        private static void WriteStatsMessage(JsonWriter w, StatsMessage m)
        {
            w.Real("game_time_s", m.GameTimeS, double.MinValue, double.MaxValue);
            w.Integer("npcs", m.Npcs, 0, 9007199254740991);
            w.Integer("players", m.Players, 0, 9007199254740991);
            w.Integer("ticks", m.Ticks, 0, 9007199254740991);
            w.Integer("npc_updates", m.NpcUpdates, 0, 9007199254740991);
            w.Integer("requests", m.Requests, 0, 9007199254740991);
            w.Integer("replies", m.Replies, 0, 9007199254740991);
            w.Integer("errors", m.Errors, 0, 9007199254740991);
            w.Integer("running", m.Running, 0, 9007199254740991);
            w.Integer("queued", m.Queued, 0, 9007199254740991);
            w.Parts("tiers", m.Tiers, 0, int.MaxValue, FormatTierStats);
            w.Integer("loads", m.Loads, 0, 9007199254740991);
            w.Integer("evictions", m.Evictions, 0, 9007199254740991);
            w.Integer("loaded_bytes", m.LoadedBytes, 0, 9007199254740991);
            w.Integer("evicted_bytes", m.EvictedBytes, 0, 9007199254740991);
            w.Part("ttft_resident", m.TtftResident, FormatTtftStats);
            w.Part("ttft_not_resident", m.TtftNotResident, FormatTtftStats);
            if (m.Policy != null) w.Text("policy", m.Policy, 0, int.MaxValue, TextForm.Any);
        }

        private static ActionSpec ParseActionSpec(FieldReader f)
        {
            var p = new ActionSpec();
            p.Name = f.Text("name", 1, 64, TextForm.Identifier);
            p.Description = f.Text("description", 0, 500, TextForm.Any);
            p.Parameters = f.Object("parameters");
            if (f.Has("gated")) p.Gated = f.Flag("gated");
            return p;
        }

        private static ClientInfo ParseClientInfo(FieldReader f)
        {
            var p = new ClientInfo();
            p.Name = f.Text("name", 1, 100, TextForm.Any);
            p.Version = f.Text("version", 1, 40, TextForm.Any);
            return p;
        }

        private static Hint ParseHint(FieldReader f)
        {
            var p = new Hint();
            p.Npc = f.Text("npc", 1, 64, TextForm.Id);
            if (f.Has("in_s")) p.InS = f.Real("in_s", 0, 1e+12);
            return p;
        }

        private static NpcSpec ParseNpcSpec(FieldReader f)
        {
            var p = new NpcSpec();
            p.Npc = f.Text("npc", 1, 64, TextForm.Id);
            p.Name = f.Text("name", 1, 100, TextForm.Any);
            if (f.Contains("persona")) p.Persona = f.Text("persona", 0, 16000, TextForm.Any);
            if (f.Has("archetype")) p.Archetype = f.Text("archetype", 1, 64, TextForm.Id);
            if (f.Has("adapter")) p.Adapter = f.Text("adapter", 1, 64, TextForm.Id);
            if (f.Contains("interaction_radius_m")) p.InteractionRadiusM = f.Real("interaction_radius_m", 0, 100000);
            if (f.Contains("sociability")) p.Sociability = f.Real("sociability", 0, 1);
            if (f.Has("position")) p.Position = f.Vector("position", -1e+07, 1e+07);
            if (f.Contains("schedule")) p.Schedule = f.Parts("schedule", 0, 64, ParseScheduledCall);
            if (f.Has("actions")) p.Actions = f.Texts("actions", 0, 32, 1, 64, TextForm.Identifier);
            return p;
        }

        private static PlayerSpec ParsePlayerSpec(FieldReader f)
        {
            var p = new PlayerSpec();
            p.Player = f.Text("player", 1, 64, TextForm.Id);
            p.Name = f.Text("name", 1, 100, TextForm.Any);
            if (f.Has("position")) p.Position = f.Vector("position", -1e+07, 1e+07);
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

        private static SamplingSpec ParseSamplingSpec(FieldReader f)
        {
            var p = new SamplingSpec();
            if (f.Has("temperature")) p.Temperature = f.Real("temperature", 0, 4);
            if (f.Has("top_p")) p.TopP = f.Real("top_p", double.Epsilon, 1);
            if (f.Has("top_k")) p.TopK = f.Integer("top_k", 0, 1000000);
            if (f.Has("repetition_penalty")) p.RepetitionPenalty = f.Real("repetition_penalty", 0.5, 2);
            if (f.Has("seed")) p.Seed = f.Integer("seed", 0, 9007199254740991);
            return p;
        }

        private static ScheduledCall ParseScheduledCall(FieldReader f)
        {
            var p = new ScheduledCall();
            p.AtS = f.Real("at_s", 0, 1e+12);
            if (f.Has("every_s")) p.EveryS = f.Real("every_s", double.Epsilon, 1e+09);
            return p;
        }

        private static Speaker ParseSpeaker(FieldReader f)
        {
            var p = new Speaker();
            p.Kind = (SpeakerKind)f.Enum("kind", WireNames.SpeakerKind);
            if (f.Has("id")) p.Id = f.Text("id", 1, 64, TextForm.Id);
            if (f.Has("name")) p.Name = f.Text("name", 1, 100, TextForm.Any);
            return p;
        }

        private static TickNpc ParseTickNpc(FieldReader f)
        {
            var p = new TickNpc();
            p.Handle = f.Handle("handle");
            p.Position = f.Vector("position", -1e+07, 1e+07);
            if (f.Contains("velocity")) p.Velocity = f.Vector("velocity", -1e+07, 1e+07);
            if (f.Has("next_call_s")) p.NextCallS = f.Real("next_call_s", 0, 1e+12);
            if (f.Contains("flags")) p.Flags = f.Integer("flags", 0, 3);
            return p;
        }

        private static TickPlayer ParseTickPlayer(FieldReader f)
        {
            var p = new TickPlayer();
            p.Handle = f.Handle("handle");
            p.Position = f.Vector("position", -1e+07, 1e+07);
            if (f.Contains("velocity")) p.Velocity = f.Vector("velocity", -1e+07, 1e+07);
            return p;
        }

        private static void FormatEngineSummary(JsonWriter w, EngineSummary p)
        {
            w.Text("name", p.Name, 0, int.MaxValue, TextForm.Any);
            w.Text("version", p.Version, 0, int.MaxValue, TextForm.Any);
            w.Text("model", p.Model, 0, int.MaxValue, TextForm.Any);
            w.Text("device", p.Device, 0, int.MaxValue, TextForm.Any);
            w.Integer("context_limit_tokens", p.ContextLimitTokens, 0, 9007199254740991);
            w.Flag("keeps_residency", p.KeepsResidency);
        }

        private static void FormatEstimatorView(JsonWriter w, EstimatorView p)
        {
            w.Text("name", p.Name, 0, int.MaxValue, TextForm.Any);
            if (p.DistanceS != null) w.Real("distance_s", p.DistanceS.Value, double.MinValue, double.MaxValue);
            w.Text("why", p.Why, 0, int.MaxValue, TextForm.Any);
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
        }

        private static void FormatMove(JsonWriter w, Move p)
        {
            w.Enum("kind", (int)p.Kind, WireNames.StateKind);
            w.Text("key", p.Key, 0, int.MaxValue, TextForm.Any);
            w.Enum("source", (int)p.Source, WireNames.Tier);
            w.Enum("target", (int)p.Target, WireNames.Tier);
            w.Integer("bytes", p.Bytes, 0, 9007199254740991);
            w.Real("seconds", p.Seconds, double.MinValue, double.MaxValue);
            w.Text("reason", p.Reason, 0, int.MaxValue, TextForm.Any);
            if (p.DistanceS != null) w.Real("distance_s", p.DistanceS.Value, double.MinValue, double.MaxValue);
            if (p.Error != null) w.Text("error", p.Error, 0, int.MaxValue, TextForm.Any);
        }

        private static void FormatNpcState(JsonWriter w, NpcState p)
        {
            w.Text("npc", p.Npc, 1, 64, TextForm.Id);
            w.Handle("handle", p.Handle);
            w.Vector("position", p.Position, -1e+07, 1e+07);
            if (p.DistanceS != null) w.Real("distance_s", p.DistanceS.Value, double.MinValue, double.MaxValue);
            if (p.Estimator != null) w.Text("estimator", p.Estimator, 0, int.MaxValue, TextForm.Any);
            w.Enum("tier", (int)p.Tier, WireNames.Tier);
            w.Flag("in_conversation", p.InConversation);
            if (p.Name != null) w.Text("name", p.Name, 1, 100, TextForm.Any);
            if (p.InteractionRadiusM != null) w.Real("interaction_radius_m", p.InteractionRadiusM.Value, double.MinValue, double.MaxValue);
            if (p.Bytes != null) w.Integer("bytes", p.Bytes.Value, 0, 9007199254740991);
            if (p.LastCallS != null) w.Real("last_call_s", p.LastCallS.Value, double.MinValue, double.MaxValue);
        }

        private static void FormatPlayerState(JsonWriter w, PlayerState p)
        {
            w.Text("player", p.Player, 1, 64, TextForm.Id);
            w.Handle("handle", p.Handle);
            w.Vector("position", p.Position, -1e+07, 1e+07);
            if (p.Name != null) w.Text("name", p.Name, 1, 100, TextForm.Any);
        }

        private static void FormatSaveView(JsonWriter w, SaveView p)
        {
            w.Text("name", p.Name, 1, 64, TextForm.Any);
            w.Real("time_s", p.TimeS, double.MinValue, double.MaxValue);
            w.Real("saved_at", p.SavedAt, double.MinValue, double.MaxValue);
        }

        private static void FormatSpawnedNpc(JsonWriter w, SpawnedNpc p)
        {
            w.Text("npc", p.Npc, 1, 64, TextForm.Id);
            w.Handle("handle", p.Handle);
        }

        private static void FormatSpawnedPlayer(JsonWriter w, SpawnedPlayer p)
        {
            w.Text("player", p.Player, 1, 64, TextForm.Id);
            w.Handle("handle", p.Handle);
        }

        private static void FormatSpeakerView(JsonWriter w, SpeakerView p)
        {
            w.Enum("kind", (int)p.Kind, WireNames.SpeakerKind);
            if (p.Id != null) w.Text("id", p.Id, 1, 64, TextForm.Id);
            if (p.Name != null) w.Text("name", p.Name, 1, 100, TextForm.Any);
        }

        private static void FormatTierStats(JsonWriter w, TierStats p)
        {
            w.Enum("kind", (int)p.Kind, WireNames.StateKind);
            w.Enum("tier", (int)p.Tier, WireNames.Tier);
            w.Integer("used_bytes", p.UsedBytes, 0, 9007199254740991);
            w.Integer("budget_bytes", p.BudgetBytes, 0, 9007199254740991);
            w.Integer("items", p.Items, 0, 9007199254740991);
        }

        private static void FormatTtftStats(JsonWriter w, TtftStats p)
        {
            w.Integer("replies", p.Replies, 0, 9007199254740991);
            if (p.P50S != null) w.Real("p50_s", p.P50S.Value, double.MinValue, double.MaxValue);
            if (p.P95S != null) w.Real("p95_s", p.P95S.Value, double.MinValue, double.MaxValue);
        }
    }
}
