// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    /// <summary>Adds an adapter, or gives one new weights; answered by <c>ok</c> once the engine uses them.</summary>
    public sealed class SetAdapterMessage : RequestMessage
    {
        /// <summary>Adapter id.</summary>
        public string Adapter { get; set; }
        /// <summary>Folder in PEFT format, as the engine sees it.</summary>
        public string Folder { get; set; }
        /// <summary>True: there is one of that id, which gets new weights. False: it is a new one.</summary>
        public bool Update { get; set; }

        public override string Type => "set_adapter";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("adapter", Adapter, 1, 64, TextForm.Id);
            w.Text("folder", Folder, 1, 4096, TextForm.Any);
            w.Flag("update", Update);
        }
    }

    /// <summary>Takes away an adapter that no NPC has; answered by <c>ok</c>.</summary>
    public sealed class RemoveAdapterMessage : RequestMessage
    {
        /// <summary>Adapter id.</summary>
        public string Adapter { get; set; }

        public override string Type => "remove_adapter";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("adapter", Adapter, 1, 64, TextForm.Id);
        }
    }

    /// <summary>Asks for the adapters that NPCs may have; answered by <c>adapters</c>.</summary>
    public sealed class ListAdaptersMessage : RequestMessage
    {

        public override string Type => "list_adapters";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
        }
    }

    /// <summary>One adapter in a list.</summary>
    public sealed class AdapterView
    {
        /// <summary>Adapter id.</summary>
        public string Adapter { get; set; }
        /// <summary>Folder of its weights, as the engine sees it.</summary>
        public string Folder { get; set; }
        /// <summary>NPCs that have it, of all worlds.</summary>
        public long Npcs { get; set; }

        internal static AdapterView Parse(FieldReader f)
        {
            var p = new AdapterView();
            p.Adapter = f.Text("adapter", 0, int.MaxValue, TextForm.Any);
            p.Folder = f.Text("folder", 0, int.MaxValue, TextForm.Any);
            p.Npcs = f.Integer("npcs", 0, 9007199254740991);
            return p;
        }
    }

    /// <summary>The adapters of the engine, by their ids.</summary>
    public sealed class AdaptersMessage : ReliableMessage
    {
        /// <summary>The request this answers.</summary>
        public long Id { get; set; }
        /// <summary>The adapters.</summary>
        public AdapterView[] Adapters { get; set; } = System.Array.Empty<AdapterView>();

        public override string Type => "adapters";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Id = f.Integer("id", 1, 9007199254740991);
            if (f.Contains("adapters")) Adapters = f.Parts("adapters", 0, int.MaxValue, AdapterView.Parse);
        }
    }
}
