using System;
using System.Collections.Generic;

namespace UnityEngine.UIElements
{
    public enum TrickleDown
    {
        NoTrickleDown = 0,
        TrickleDown = 1,
    }

    public delegate void EventCallback<in TEventType>(TEventType evt);

    public abstract class EventBase : IDisposable
    {
        public void Dispose()
        {
        }
    }

    public abstract class EventBase<T> : EventBase
        where T : EventBase<T>, new()
    {
        public static T GetPooled() => new T();
    }

    public abstract class KeyboardEventBase<T> : EventBase<T>
        where T : KeyboardEventBase<T>, new()
    {
        public KeyCode keyCode { get; protected set; }

        public static T GetPooled(char c, KeyCode keyCode, EventModifiers modifiers)
        {
            T pressed = GetPooled();
            pressed.keyCode = keyCode;
            return pressed;
        }
    }

    public class KeyDownEvent : KeyboardEventBase<KeyDownEvent>
    {
    }

    public abstract class FocusEventBase<T> : EventBase<T>
        where T : FocusEventBase<T>, new()
    {
    }

    public class FocusInEvent : FocusEventBase<FocusInEvent>
    {
    }

    public class FocusOutEvent : FocusEventBase<FocusOutEvent>
    {
    }

    public abstract class NavigationEventBase<T> : EventBase<T>
        where T : NavigationEventBase<T>, new()
    {
    }

    public class NavigationSubmitEvent : NavigationEventBase<NavigationSubmitEvent>
    {
    }

    public abstract class CallbackEventHandler
    {
        private readonly List<Action<EventBase>> _callbacks = new List<Action<EventBase>>();

        public void RegisterCallback<TEventType>(EventCallback<TEventType> callback, TrickleDown useTrickleDown = TrickleDown.NoTrickleDown)
            where TEventType : EventBase<TEventType>, new() => _callbacks.Add(e =>
        {
            if (e is TEventType)
            {
                callback((TEventType)e);
            }
        });

        public virtual void SendEvent(EventBase e)
        {
            _callbacks.ForEach(callback => callback(e));
            Default(e);
        }

        /// <summary>As the element itself takes the event.</summary>
        internal virtual void Default(EventBase e)
        {
        }
    }

    public abstract class Focusable : CallbackEventHandler
    {
    }
}
