using System;
using System.Collections.Generic;

namespace UnityEngine.UIElements
{
    public interface IPanel
    {
    }

    public interface IStyle
    {
        StyleEnum<DisplayStyle> display { get; set; }

        StyleLength left { get; set; }

        StyleLength top { get; set; }
    }

    public class VisualElement : Focusable
    {
        private readonly List<VisualElement> _children = new List<VisualElement>();
        private readonly HashSet<string> _classes = new HashSet<string>();

        public string name { get; set; } = "";

        public VisualElement parent { get; private set; }

        public IPanel panel => null;

        public IStyle style { get; } = new Style();

        public int childCount => _children.Count;

        public IEnumerable<VisualElement> Children() => _children;

        public void Add(VisualElement child)
        {
            child.parent = this;
            _children.Add(child);
        }

        public void RemoveAt(int index) => _children.RemoveAt(index);

        public void Clear() => _children.Clear();

        public void AddToClassList(string className) => _classes.Add(className);

        private sealed class Style : IStyle
        {
            public StyleEnum<DisplayStyle> display { get; set; }

            public StyleLength left { get; set; }

            public StyleLength top { get; set; }
        }
    }

    public class BindableElement : VisualElement
    {
    }

    public class TextElement : BindableElement
    {
        public virtual string text { get; set; } = "";

        public bool enableRichText { get; set; } = true;
    }

    public class Label : TextElement
    {
        public Label()
            : this("")
        {
        }

        public Label(string text)
        {
            this.text = text;
        }
    }

    public class Button : TextElement
    {
        public Button()
        {
        }

        public Button(Action clickEvent)
        {
            clicked += clickEvent;
        }

        public event Action clicked;

        /// <summary>Who navigates by keys submits; a click needs a layout, which there is none of.</summary>
        internal override void Default(EventBase e)
        {
            if (e is NavigationSubmitEvent)
            {
                clicked?.Invoke();
            }
        }
    }

    public abstract class BaseField<TValueType> : BindableElement
    {
        public virtual TValueType value { get; set; }
    }

    public abstract class TextInputBaseField<TValueType> : BaseField<TValueType>
    {
        public int maxLength { get; set; } = -1;
    }

    public class TextField : TextInputBaseField<string>
    {
        public TextField()
        {
            value = "";
        }
    }

    public class ScrollView : VisualElement
    {
        public void ScrollTo(VisualElement child)
        {
            if (child.parent != this)
            {
                throw new ArgumentException("Cannot scroll to a VisualElement that's not a child of the ScrollView content-container.");
            }
        }
    }

    public static class UQueryExtensions
    {
        public static T Q<T>(this VisualElement e, string name = null, string className = null)
            where T : VisualElement
        {
            foreach (VisualElement child in e.Children())
            {
                T found = child as T;
                if (found != null && (name == null || child.name == name))
                {
                    return found;
                }
                found = child.Q<T>(name, className);
                if (found != null)
                {
                    return found;
                }
            }
            return null;
        }
    }
}
