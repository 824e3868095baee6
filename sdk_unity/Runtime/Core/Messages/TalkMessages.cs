// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    /// <summary>The speaker of a line that an NPC heard, as the server tells it.</summary>
    public sealed class SpeakerView
    {
        /// <summary>What the speaker is.</summary>
        public SpeakerKind Kind { get; set; }
        /// <summary>Player or NPC id; null for a narrator.</summary>
        public string Id { get; set; }
        /// <summary>Shown to the NPC; null = the name known for the id.</summary>
        public string Name { get; set; }

        internal static SpeakerView Parse(FieldReader f)
        {
            var p = new SpeakerView();
            p.Kind = (SpeakerKind)f.Enum("kind", WireNames.SpeakerKind);
            if (f.Has("id")) p.Id = f.Text("id", 1, 64, TextForm.Id);
            if (f.Has("name")) p.Name = f.Text("name", 1, 100, TextForm.Any);
            return p;
        }
    }

    /// <summary>The speaker of a line to an NPC, as a client tells it.</summary>
    public sealed class Speaker
    {
        /// <summary>What the speaker is.</summary>
        public SpeakerKind Kind { get; set; }
        /// <summary>Player or NPC id; null for a narrator.</summary>
        public string Id { get; set; }
        /// <summary>Shown to the NPC; null = the name known for the id.</summary>
        public string Name { get; set; }

        internal static void Format(JsonWriter w, Speaker p)
        {
            w.Enum("kind", (int)p.Kind, WireNames.SpeakerKind);
            if (p.Id != null) w.Text("id", p.Id, 1, 64, TextForm.Id);
            if (p.Name != null) w.Text("name", p.Name, 1, 100, TextForm.Any);
        }
    }

    /// <summary>Sampling of the reply's tokens; fields left out follow the server's settings.</summary>
    public sealed class SamplingSpec
    {
        /// <summary>0 = greedy.</summary>
        public double? Temperature { get; set; }
        /// <summary>Nucleus sampling.</summary>
        public double? TopP { get; set; }
        /// <summary>0 = all tokens.</summary>
        public long? TopK { get; set; }
        /// <summary>1 = none.</summary>
        public double? RepetitionPenalty { get; set; }
        /// <summary>Makes sampling repeatable where the engine can.</summary>
        public long? Seed { get; set; }

        internal static void Format(JsonWriter w, SamplingSpec p)
        {
            if (p.Temperature != null) w.Real("temperature", p.Temperature.Value, 0, 4);
            if (p.TopP != null) w.Real("top_p", p.TopP.Value, double.Epsilon, 1);
            if (p.TopK != null) w.Integer("top_k", p.TopK.Value, 0, 1000000);
            if (p.RepetitionPenalty != null) w.Real("repetition_penalty", p.RepetitionPenalty.Value, 0.5, 2);
            if (p.Seed != null) w.Integer("seed", p.Seed.Value, 0, 9007199254740991);
        }
    }

    /// <summary>Says something to an NPC, who answers: <c>reply_start</c>, <c>reply_delta</c>..., <c>reply_end</c>.</summary>
    public sealed class SayMessage : RequestMessage
    {
        /// <summary>The one who is spoken to; or else <c>npcs</c>.</summary>
        public string Npc { get; set; }
        /// <summary>Who speaks.</summary>
        public Speaker Speaker { get; set; }
        /// <summary>What is said. From a player the server may take less (<c>limit_exceeded</c>).</summary>
        public string Text { get; set; }
        /// <summary>null = after the speaker's kind (a narrator's is background).</summary>
        public Priority? Priority { get; set; }
        /// <summary>Length limit of the reply in tokens. Absent = the server's setting.</summary>
        public long? MaxTokens { get; set; }
        /// <summary>How tokens are chosen. Absent = the server's settings.</summary>
        public SamplingSpec Sampling { get; set; }
        /// <summary>The reply ends before any of these texts.</summary>
        public string[] Stop { get; set; } = System.Array.Empty<string>();
        /// <summary>
        /// The actions it may choose from after this reply; null = all that are not gated.
        ///
        /// From the game only.
        /// </summary>
        public string[] Actions { get; set; }
        /// <summary>
        /// NPCs within this distance of who speaks overhear the line, and the reply; null = nobody.
        ///
        /// The nearest 32 remember it.
        /// </summary>
        public double? AudibleM { get; set; }
        /// <summary>Those who answer in turn, each having heard the ones before; in place of <c>npc</c>.</summary>
        public string[] Npcs { get; set; }

        public override string Type => "say";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            if (Npc != null) w.Text("npc", Npc, 1, 64, TextForm.Id);
            w.Part("speaker", Speaker, Speaker.Format);
            w.Text("text", Text, 1, 4000, TextForm.Any);
            if (Priority != null) w.Enum("priority", (int)Priority.Value, WireNames.Priority);
            if (MaxTokens != null) w.Integer("max_tokens", MaxTokens.Value, 1, 4096);
            if (Sampling != null) w.Part("sampling", Sampling, SamplingSpec.Format);
            w.Texts("stop", Stop, 0, 8, 1, 100, TextForm.Any);
            if (Actions != null) w.Texts("actions", Actions, 0, 32, 1, 64, TextForm.Identifier);
            if (AudibleM != null) w.Real("audible_m", AudibleM.Value, 0, 100000);
            if (Npcs != null) w.Texts("npcs", Npcs, 1, 8, 1, 64, TextForm.Id);
        }
    }

    /// <summary>
    /// Has NPCs remember a line without an answer: thunder, a herald, a talk they stand by.
    ///
    /// Answered by <c>ok</c>.
    /// </summary>
    public sealed class HearMessage : RequestMessage
    {
        /// <summary>Who hears it, each once, else <c>unknown_npc</c>.</summary>
        public string[] Npcs { get; set; } = System.Array.Empty<string>();
        /// <summary>Who speaks.</summary>
        public Speaker Speaker { get; set; }
        /// <summary>What is heard.</summary>
        public string Text { get; set; }

        public override string Type => "hear";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Texts("npcs", Npcs, 1, 32, 1, 64, TextForm.Id);
            w.Part("speaker", Speaker, Speaker.Format);
            w.Text("text", Text, 1, 4000, TextForm.Any);
        }
    }

    /// <summary>Makes an NPC say a given line, without the model; answered like <c>say</c>.</summary>
    public sealed class SpeakMessage : RequestMessage
    {
        /// <summary>Who speaks.</summary>
        public string Npc { get; set; }
        /// <summary>The line.</summary>
        public string Text { get; set; }
        /// <summary>NPCs within this distance overhear it, the nearest 32; null = nobody.</summary>
        public double? AudibleM { get; set; }

        public override string Type => "speak";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("npc", Npc, 1, 64, TextForm.Id);
            w.Text("text", Text, 1, 4000, TextForm.Any);
            if (AudibleM != null) w.Real("audible_m", AudibleM.Value, 0, 100000);
        }
    }

    /// <summary>
    /// Stops the reply to the <c>say</c> with this id; its <c>reply_end</c> says "cancelled".
    ///
    /// If no such reply is open, nothing happens.
    /// </summary>
    public sealed class CancelMessage : ClientMessage
    {
        /// <summary>The id of the <c>say</c> or <c>speak</c>.</summary>
        public long Id { get; set; }

        public override string Type => "cancel";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
        }
    }

    /// <summary>An NPC begins to answer. Sent to who asked, the game, and those subscribed to replies.</summary>
    public sealed class ReplyStartMessage : ReliableMessage
    {
        /// <summary>The request, in the session that sent it; null elsewhere.</summary>
        public long? Id { get; set; }
        /// <summary>Names the reply in this world.</summary>
        public long Reply { get; set; }
        /// <summary>Who answers.</summary>
        public string Npc { get; set; }
        /// <summary>Who is answered.</summary>
        public SpeakerView Speaker { get; set; }
        /// <summary>The line that the NPC answers; empty for <c>speak</c>.</summary>
        public string Heard { get; set; }

        public override string Type => "reply_start";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            if (f.Has("id")) Id = f.Integer("id", 1, 9007199254740991);
            Reply = f.Integer("reply", 1, 9007199254740991);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            Speaker = SpeakerView.Parse(f.Part("speaker"));
            Heard = f.Text("heard", 0, int.MaxValue, TextForm.Any);
        }
    }

    /// <summary>More of the text. Deltas of a reply arrive in order; joined they are its text.</summary>
    public sealed class ReplyDeltaMessage : ReliableMessage
    {
        /// <summary>The request, in the session that sent it; absent elsewhere.</summary>
        public long? Id { get; set; }
        /// <summary>The reply.</summary>
        public long Reply { get; set; }
        /// <summary>To be appended. Always whole code points.</summary>
        public string Text { get; set; }
        /// <summary>True = all text so far is whole sentences, fit for a text-to-speech.</summary>
        public bool? EndsSentence { get; set; }
        /// <summary>Something the NPC does while it speaks; <c>text</c> is empty then.</summary>
        public string StageDirection { get; set; }
        /// <summary>The NPC that speaks; null = the server is older than 1.3.</summary>
        public string Npc { get; set; }

        public override string Type => "reply_delta";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            if (f.Has("id")) Id = f.Integer("id", 1, 9007199254740991);
            Reply = f.Integer("reply", 1, 9007199254740991);
            Text = f.Text("text", 0, int.MaxValue, TextForm.Any);
            if (f.Has("ends_sentence")) EndsSentence = f.Flag("ends_sentence");
            if (f.Has("stage_direction")) StageDirection = f.Text("stage_direction", 0, int.MaxValue, TextForm.Any);
            if (f.Has("npc")) Npc = f.Text("npc", 1, 64, TextForm.Id);
        }
    }

    /// <summary>The reply is complete. Every <c>reply_start</c> is followed by exactly one.</summary>
    public sealed class ReplyEndMessage : ReliableMessage
    {
        /// <summary>The request, in the session that sent it; absent elsewhere.</summary>
        public long? Id { get; set; }
        /// <summary>The reply.</summary>
        public long Reply { get; set; }
        /// <summary>Who answered.</summary>
        public string Npc { get; set; }
        /// <summary>The whole text.</summary>
        public string Text { get; set; }
        /// <summary><c>stop</c>: the NPC was done. <c>length</c>: cut at <c>max_tokens</c> or at the context limit. <c>cancelled</c>: by <c>cancel</c>, despawn, <c>forget</c>, <c>load</c> (see <c>message</c>) or the end of the world. <c>error</c>: see <c>code</c>.</summary>
        public FinishReason FinishReason { get; set; }
        /// <summary>The error code, if finish_reason is "error".</summary>
        public string Code { get; set; }
        /// <summary>The same in words.</summary>
        public string Message { get; set; }
        /// <summary>Tokens of the prompt.</summary>
        public long PromptTokens { get; set; }
        /// <summary>Prompt tokens that did not have to be computed.</summary>
        public long CachedTokens { get; set; }
        /// <summary>Tokens of the reply.</summary>
        public long GeneratedTokens { get; set; }
        /// <summary>Tier of the NPC's prefix when the request came in.</summary>
        public Tier? Tier { get; set; }
        /// <summary>Time to first token, from the request's arrival.</summary>
        public double? TtftS { get; set; }
        /// <summary>Time from the request to the end, s.</summary>
        public double? TotalS { get; set; }
        /// <summary>True = another NPC answers the same request after this one.</summary>
        public bool? More { get; set; }

        public override string Type => "reply_end";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            if (f.Has("id")) Id = f.Integer("id", 1, 9007199254740991);
            Reply = f.Integer("reply", 1, 9007199254740991);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            Text = f.Text("text", 0, int.MaxValue, TextForm.Any);
            FinishReason = (FinishReason)f.Enum("finish_reason", WireNames.FinishReason);
            if (f.Has("code")) Code = f.Text("code", 0, int.MaxValue, TextForm.Any);
            if (f.Has("message")) Message = f.Text("message", 0, int.MaxValue, TextForm.Any);
            if (f.Contains("prompt_tokens")) PromptTokens = f.Integer("prompt_tokens", 0, 9007199254740991);
            if (f.Contains("cached_tokens")) CachedTokens = f.Integer("cached_tokens", 0, 9007199254740991);
            if (f.Contains("generated_tokens")) GeneratedTokens = f.Integer("generated_tokens", 0, 9007199254740991);
            if (f.Has("tier")) Tier = (Tier)f.Enum("tier", WireNames.Tier);
            if (f.Has("ttft_s")) TtftS = f.Real("ttft_s", double.MinValue, double.MaxValue);
            if (f.Has("total_s")) TotalS = f.Real("total_s", double.MinValue, double.MaxValue);
            if (f.Has("more")) More = f.Flag("more");
        }
    }

    /// <summary>An NPC wants to act. The arguments are valid under the schema its script registered.</summary>
    public sealed class ActionMessage : ReliableMessage
    {
        /// <summary>The request, in the session that sent it; absent elsewhere.</summary>
        public long? Id { get; set; }
        /// <summary>The reply it belongs to.</summary>
        public long Reply { get; set; }
        /// <summary>Names the action in this world.</summary>
        public long Action { get; set; }
        /// <summary>Who acts.</summary>
        public string Npc { get; set; }
        /// <summary>Name of the action.</summary>
        public string Name { get; set; }
        /// <summary>Valid under the schema of the action.</summary>
        public JsonValue Arguments { get; set; }

        public override string Type => "action";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            if (f.Has("id")) Id = f.Integer("id", 1, 9007199254740991);
            Reply = f.Integer("reply", 1, 9007199254740991);
            Action = f.Integer("action", 1, 9007199254740991);
            Npc = f.Text("npc", 1, 64, TextForm.Id);
            Name = f.Text("name", 1, 64, TextForm.Identifier);
            Arguments = f.Object("arguments");
        }
    }

    /// <summary>Tells what became of an action; the NPC remembers it, and its script's mod is told.</summary>
    public sealed class ActionResultMessage : ClientMessage
    {
        /// <summary>The action.</summary>
        public long Action { get; set; }
        /// <summary>Whether it was carried out.</summary>
        public bool Ok { get; set; }
        /// <summary>What happened, in one sentence: for the NPC and the mod.</summary>
        public string Message { get; set; } = "";

        public override string Type => "action_result";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("action", Action, 1, 9007199254740991);
            w.Flag("ok", Ok);
            w.Text("message", Message, 0, 1000, TextForm.Any);
        }
    }
}
