using System;

namespace Callsheet
{
    /// <summary>
    /// Makes a method something that an NPC can do: told to the server with the NPC, called when it does.
    ///
    /// The component is on the NPC's object or below it; the method may be one of its base class. Parameters
    /// are filled by name: string, bool, int, long, float, double, an enum (by its name), or
    /// <see cref="Callsheet.Wire.JsonValue"/>. Those with a default may be left out;
    /// <see cref="WithinAttribute"/> bounds a number, <see cref="NamesFromAttribute"/> names what a string may
    /// be. The method returns nothing, a bool (did it work) or a string (what happened), at once or as a Task;
    /// or it is a coroutine (IEnumerator), which is run. The NPC is told when that has come to its end; an
    /// exception fails the action with its message. A parameter of type <see cref="Callsheet.Core.NpcAction"/>
    /// is the action itself: a method that takes it and returns nothing completes it, then or later.
    ///
    /// In an IL2CPP build the methods are called from a generated file, so they are internal or public there.
    /// </summary>
    [AttributeUsage(AttributeTargets.Method, Inherited = false)]
    public sealed class CallsheetActionAttribute : Attribute
    {
        /// <summary>Names the action.</summary>
        /// <param name="name">The action's name; null = the method's.</param>
        /// <param name="description">For the model: what it does, and when to do it.</param>
        public CallsheetActionAttribute(string name = null, string description = "")
        {
            Name = name;
            Description = description;
        }

        /// <summary>The action's name; null = the method's.</summary>
        public string Name { get; }

        /// <summary>For the model: what it does, and when to do it.</summary>
        public string Description { get; }
    }

    /// <summary>Bounds of a number that is a parameter of a [CallsheetAction]; Unity's [Range] can stand at fields only.</summary>
    [AttributeUsage(AttributeTargets.Parameter)]
    public sealed class WithinAttribute : Attribute
    {
        /// <summary>Sets the smallest and the greatest number allowed.</summary>
        public WithinAttribute(double min, double max)
        {
            Min = min;
            Max = max;
        }

        /// <summary>The smallest number allowed.</summary>
        public double Min { get; }

        /// <summary>The greatest number allowed.</summary>
        public double Max { get; }
    }

    /// <summary>
    /// The names that a string parameter of a [CallsheetAction] may be, such as the doors in reach: from a
    /// property or method of the same class that yields strings and is asked again before each talk. While it
    /// yields none, the action is not offered; a parameter with a default is left out instead.
    /// </summary>
    [AttributeUsage(AttributeTargets.Parameter)]
    public sealed class NamesFromAttribute : Attribute
    {
        /// <summary>Names the member that lists what the string may be.</summary>
        /// <param name="member">Its name: <c>nameof(DoorsInReach)</c>.</param>
        public NamesFromAttribute(string member)
        {
            Member = member;
        }

        /// <summary>The member that gives the names.</summary>
        public string Member { get; }
    }
}
