// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    /// <summary>
    /// Erases what NPCs remember: all of it, or what happened after a game time. Gives <c>ok</c>.
    ///
    /// A save made before still holds it, until that is deleted.
    /// </summary>
    public sealed class ForgetMessage : RequestMessage
    {
        /// <summary>NPCs, in the world or despawned; null = all that ever were in it.</summary>
        public string[] Npcs { get; set; }
        /// <summary>Game time; what happened up to then stays. null = nothing stays.</summary>
        public double? AfterS { get; set; }

        public override string Type => "forget";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            if (Npcs != null) w.Texts("npcs", Npcs, 1, 10000, 1, 64, TextForm.Id);
            if (AfterS != null) w.Real("after_s", AfterS.Value, 0, 1e+12);
        }
    }

    /// <summary>Marks what the world remembers now with a name; a save of that name is replaced.</summary>
    public sealed class SaveMessage : RequestMessage
    {
        /// <summary>Of the save; any text. At most 128 saves in a world, else <c>limit_exceeded</c>.</summary>
        public string Name { get; set; }

        public override string Type => "save";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("name", Name, 1, 64, TextForm.Any);
        }
    }

    /// <summary>A save was made: the answer to <c>save</c>, and without <c>id</c> sent to mods and observers.</summary>
    public sealed class SavedMessage : ReliableMessage
    {
        /// <summary>The request this answers; absent for mods and observers.</summary>
        public long? Id { get; set; }
        /// <summary>Of the save.</summary>
        public string Name { get; set; }
        /// <summary>Game time of the save.</summary>
        public double TimeS { get; set; }

        public override string Type => "saved";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            if (f.Has("id")) Id = f.Integer("id", 1, 9007199254740991);
            Name = f.Text("name", 1, 64, TextForm.Any);
            TimeS = f.Real("time_s", double.MinValue, double.MaxValue);
        }
    }

    /// <summary>Goes back to a save: memory, facts, schedules and the game's clock.</summary>
    public sealed class LoadMessage : RequestMessage
    {
        /// <summary>Of the save.</summary>
        public string Name { get; set; }

        public override string Type => "load";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("name", Name, 1, 64, TextForm.Any);
        }
    }

    /// <summary>A save was loaded: the answer to <c>load</c>, and without <c>id</c> sent to mods and observers.</summary>
    public sealed class LoadedMessage : ReliableMessage
    {
        /// <summary>The request this answers; absent for mods and observers.</summary>
        public long? Id { get; set; }
        /// <summary>Of the save.</summary>
        public string Name { get; set; }
        /// <summary>Game time that the world has again.</summary>
        public double TimeS { get; set; }

        public override string Type => "loaded";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            if (f.Has("id")) Id = f.Integer("id", 1, 9007199254740991);
            Name = f.Text("name", 1, 64, TextForm.Any);
            TimeS = f.Real("time_s", double.MinValue, double.MaxValue);
        }
    }

    /// <summary>Deletes a save, and from the disk what only it held. Answered by <c>ok</c>.</summary>
    public sealed class DeleteSaveMessage : RequestMessage
    {
        /// <summary>Of the save.</summary>
        public string Name { get; set; }

        public override string Type => "delete_save";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
            w.Text("name", Name, 1, 64, TextForm.Any);
        }
    }

    /// <summary>Asks for the world's saves; answered by <c>saves</c>.</summary>
    public sealed class ListSavesMessage : RequestMessage
    {

        public override string Type => "list_saves";

        internal override void WriteFields(JsonWriter w)
        {
            w.Integer("id", Id, 1, 9007199254740991);
        }
    }

    /// <summary>One save in a list.</summary>
    public sealed class SaveView
    {
        /// <summary>Of the save.</summary>
        public string Name { get; set; }
        /// <summary>Game time of the save.</summary>
        public double TimeS { get; set; }
        /// <summary>Unix time at which it was made, s.</summary>
        public double SavedAt { get; set; }

        internal static SaveView Parse(FieldReader f)
        {
            var p = new SaveView();
            p.Name = f.Text("name", 1, 64, TextForm.Any);
            p.TimeS = f.Real("time_s", double.MinValue, double.MaxValue);
            p.SavedAt = f.Real("saved_at", double.MinValue, double.MaxValue);
            return p;
        }
    }

    /// <summary>The saves of a world, the oldest first.</summary>
    public sealed class SavesMessage : ReliableMessage
    {
        /// <summary>The request this answers.</summary>
        public long Id { get; set; }
        /// <summary>The saves.</summary>
        public SaveView[] Saves { get; set; } = System.Array.Empty<SaveView>();

        public override string Type => "saves";

        internal override long? RequestId => Id;

        internal override void ReadFields(FieldReader f)
        {
            if (f.Has("seq")) Seq = f.Integer("seq", 1, 9007199254740991);
            Id = f.Integer("id", 1, 9007199254740991);
            if (f.Contains("saves")) Saves = f.Parts("saves", 0, int.MaxValue, SaveView.Parse);
        }
    }
}
