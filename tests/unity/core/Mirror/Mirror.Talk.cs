// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

using Callsheet.Wire;

namespace Callsheet.Tests
{
    internal static partial class Mirror
    {
        private static void FormatSpeakerView(JsonWriter w, SpeakerView p)
        {
            w.Enum("kind", (int)p.Kind, WireNames.SpeakerKind);
            if (p.Id != null) w.Text("id", p.Id, 1, 64, TextForm.Id);
            if (p.Name != null) w.Text("name", p.Name, 1, 100, TextForm.Any);
        }

        private static Speaker ParseSpeaker(FieldReader f)
        {
            var p = new Speaker();
            p.Kind = (SpeakerKind)f.Enum("kind", WireNames.SpeakerKind);
            if (f.Has("id")) p.Id = f.Text("id", 1, 64, TextForm.Id);
            if (f.Has("name")) p.Name = f.Text("name", 1, 100, TextForm.Any);
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

        private static SayMessage ReadSayMessage(FieldReader f)
        {
            var m = new SayMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            if (f.Has("npc")) m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            m.Speaker = ParseSpeaker(f.Part("speaker"));
            m.Text = f.Text("text", 1, 4000, TextForm.Any);
            if (f.Has("priority")) m.Priority = (Priority)f.Enum("priority", WireNames.Priority);
            if (f.Has("max_tokens")) m.MaxTokens = f.Integer("max_tokens", 1, 4096);
            if (f.Has("sampling")) m.Sampling = ParseSamplingSpec(f.Part("sampling"));
            if (f.Contains("stop")) m.Stop = f.Texts("stop", 0, 8, 1, 100, TextForm.Any);
            if (f.Has("actions")) m.Actions = f.Texts("actions", 0, 32, 1, 64, TextForm.Identifier);
            if (f.Has("audible_m")) m.AudibleM = f.Real("audible_m", 0, 100000);
            if (f.Has("npcs")) m.Npcs = f.Texts("npcs", 1, 8, 1, 64, TextForm.Id);
            return m;
        }

        private static HearMessage ReadHearMessage(FieldReader f)
        {
            var m = new HearMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npcs = f.Texts("npcs", 1, 32, 1, 64, TextForm.Id);
            m.Speaker = ParseSpeaker(f.Part("speaker"));
            m.Text = f.Text("text", 1, 4000, TextForm.Any);
            return m;
        }

        private static SpeakMessage ReadSpeakMessage(FieldReader f)
        {
            var m = new SpeakMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            m.Npc = f.Text("npc", 1, 64, TextForm.Id);
            m.Text = f.Text("text", 1, 4000, TextForm.Any);
            if (f.Has("audible_m")) m.AudibleM = f.Real("audible_m", 0, 100000);
            return m;
        }

        private static CancelMessage ReadCancelMessage(FieldReader f)
        {
            var m = new CancelMessage();
            m.Id = f.Integer("id", 1, 9007199254740991);
            return m;
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
            if (m.Npc != null) w.Text("npc", m.Npc, 1, 64, TextForm.Id);
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
            if (m.More != null) w.Flag("more", m.More.Value);
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

        private static ActionResultMessage ReadActionResultMessage(FieldReader f)
        {
            var m = new ActionResultMessage();
            m.Action = f.Integer("action", 1, 9007199254740991);
            m.Ok = f.Flag("ok");
            if (f.Contains("message")) m.Message = f.Text("message", 0, 1000, TextForm.Any);
            return m;
        }
    }
}
